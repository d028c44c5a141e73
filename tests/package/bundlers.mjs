// The bundlers that the package must go through as it is. Each makes one program of `entry` in `outfile`, minified, with nothing set
// but where it is to run, 'browser' or 'node', and what stays outside there.
import { builtinModules, createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build as esbuild } from 'esbuild';

export const TOOLS = ['vite@8.3.8', 'webpack@5.112.2', 'rollup@4.68.7', '@rollup/plugin-node-resolve@16.0.3'];

/** koffi is optional and brings a binary: whoever bundles for a server leaves it out, as Node's own modules. */

const isOutside = (name) => name === 'koffi' || name.startsWith('node:') || builtinModules.includes(name);

async function withEsbuild(entry, outfile, platform, outside = ['koffi']) {
  const external = platform === 'node' ? outside : [];
  const format = { bundle: true, format: 'esm', minify: true, platform, external };
  await esbuild({ entryPoints: [entry], outfile, ...format, logLevel: 'error' });
}

function rollupWith(tool) {
  return async (entry, outfile, platform) => {
    const { rollup } = await tool('rollup');
    const { nodeResolve } = await tool('@rollup/plugin-node-resolve');
    const plugins = [nodeResolve({ browser: platform === 'browser', preferBuiltins: platform === 'node' })];
    const strict = (warning) => {
      // It leaves out more than was left out before it, and says so.
      if (warning.code === 'UNUSED_EXTERNAL_IMPORT') return;
      throw new Error(warning.message);
    };
    const external = platform === 'node' ? isOutside : [];
    const bundle = await rollup({ input: entry, plugins, external, onwarn: strict });
    await bundle.write({ dir: dirname(outfile), entryFileNames: basename(outfile), format: 'es' });
    await bundle.close();
  };
}

function webpackWith(tool) {
  return async (entry, outfile, platform) => {
    const { default: webpack } = await tool('webpack');
    const node = platform === 'node';
    const stats = await new Promise((resolve, reject) => {
      const compiler = webpack({
        mode: 'production',
        entry,
        target: node ? 'node20' : 'web',
        output: {
          path: dirname(outfile),
          filename: basename(outfile),
          module: true,
          chunkFormat: 'module',
          library: { type: 'module' },
        },
        experiments: { outputModule: true },
        performance: { hints: false },
        ...(node ? { externals: { koffi: 'module koffi' } } : {}),
      });
      compiler.run((error, result) => (error ? reject(error) : resolve(result)));
    });
    if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString('errors-warnings'));
  };
}

function viteWith(tool) {
  return async (entry, outfile, platform) => {
    const { build } = await tool('vite');
    const node = platform === 'node';
    await build({
      root: dirname(entry),
      configFile: false,
      logLevel: 'error',
      ...(node ? { ssr: { noExternal: true, external: ['koffi'] } } : {}),
      build: {
        outDir: dirname(outfile),
        emptyOutDir: false,
        target: 'es2022',
        minify: true,
        ...(node
          ? { ssr: entry, rollupOptions: { output: { entryFileNames: basename(outfile) } } }
          : { lib: { entry, formats: ['es'], fileName: () => basename(outfile) } }),
      },
    });
  };
}

/** By name. `folder` is where TOOLS are installed. */
export function bundlers(folder) {
  const { resolve } = createRequire(join(folder, 'package.json'));
  const tool = (name) => import(pathToFileURL(resolve(name)).href);
  return {
    esbuild: withEsbuild,
    rollup: rollupWith(tool),
    webpack: webpackWith(tool),
    vite: viteWith(tool),
  };
}
