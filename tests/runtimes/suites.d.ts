/** Made by bundle.mjs: collects the tests of every suite. */
declare module 'suites' {
  export function collectSuites(): Promise<void>;
}
