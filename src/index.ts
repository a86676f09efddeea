/** Raybridge as a library: one running instance in your process, and the words it speaks. */
export { type Config, loadConfig } from './config/index.ts';
export { components } from './components.ts';
export { type ErrorCode, RaybridgeError, retryableCodes } from './errors.ts';
export * from './model/index.ts';
export { createRaybridge, type Raybridge, type RaybridgeOptions } from './raybridge.ts';
