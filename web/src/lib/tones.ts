/** What a state means to who looks at it; `controls.css` has the colours, as `data-tone`. */
export type Tone = 'good' | 'warn' | 'bad' | 'calm';
