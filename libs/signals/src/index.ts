export { Signals, type Subscription } from './signals.js';
export { SignalsModule } from './signals.module.js';
