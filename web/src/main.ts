import '@fontsource-variable/figtree/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { language } from './i18n/index.svelte';
import { partMissing, styleAgain } from './lib/parts';

addEventListener('vite:preloadError', () => void partMissing());
// the capture: what befalls an element doesn't bubble
addEventListener('error', styleAgain, { capture: true });

// not awaited here: a file that waits at its top is cut off from the rest of the build, which then is 13 KB larger
void language.begin().then(() => mount(App, { target: document.getElementById('app')! }));
