import '@fontsource-variable/figtree/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { language } from './i18n/index.svelte';

// After an update of the server the parts of the old build are gone: what is there now is a reload away.
addEventListener('vite:preloadError', () => location.reload());

// not awaited here: a file that waits at its top is cut off from the rest of the build, which then is 13 KB larger
void language.begin().then(() => mount(App, { target: document.getElementById('app')! }));
