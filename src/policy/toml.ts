/** Stage: none (files). TOML. A file of its own, so that only who reads a policy file loads the library. */
export { parse, TomlError } from 'smol-toml';
