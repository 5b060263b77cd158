import '@fontsource-variable/figtree/wght.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/controls.css';
import { mount } from 'svelte';
import App from './App.svelte';
import { language } from './i18n/index.svelte';

document.documentElement.lang = language.current;
mount(App, { target: document.getElementById('app')! });
