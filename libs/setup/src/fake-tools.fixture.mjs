/**
 * Stands in for every program that set-up starts, under that program's name: npm, python3 (pip and unpacking), g++, tsc, Vite.
 * At the first call of each kind it leaves half of its work, its process id in `$FAKE_TOOLS/hanging/KIND`, and hangs; later
 * ones finish. `$FAKE_TOOLS/calls` lists the kinds of all calls.
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const args = process.argv.slice(2);
const after = (flag) => args[args.indexOf(flag) + 1];

const BINDING = `module.exports = {
  TF_Version: '2.21.0', isUsingGpuDevice: () => false, createTensor: () => ({ id: 1 }),
  executeOp: () => [{ id: 2 }], tensorDataSync: () => [7, 10, 15, 22],
};`;

function put(path, content) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

async function work(kind, half, rest) {
  appendFileSync(join(process.env.FAKE_TOOLS, 'calls'), `${kind}\n`);
  half();
  const mark = join(process.env.FAKE_TOOLS, 'hanging', kind);
  if (!existsSync(mark)) {
    const partial = join(process.env.FAKE_TOOLS, 'partial');
    writeFileSync(partial, String(process.pid));
    renameSync(partial, mark);
    await new Promise(() => setInterval(() => {}, 60_000));
  }
  rest();
}

const installPackages = () =>
  work(
    'npm',
    () => {
      rmSync('node_modules', { recursive: true, force: true });
      put(join('node_modules', '@tensorflow', 'tfjs-node-gpu', 'package.json'), '{}');
    },
    () => {
      put(join('node_modules', '@tensorflow', 'tfjs-node-gpu', 'binding', 'tfjs_binding.cc'), '');
      put(join('node_modules', 'node-api-headers', 'package.json'), '{}');
      mkdirSync(join('node_modules', 'typescript', 'bin'), { recursive: true });
      symlinkSync(fileURLToPath(import.meta.url), join('node_modules', 'typescript', 'bin', 'tsc'));
      mkdirSync(join('node_modules', 'vite', 'bin'), { recursive: true });
      symlinkSync(fileURLToPath(import.meta.url), join('node_modules', 'vite', 'bin', 'vite.js'));
      const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
      put(join('node_modules', '.package-lock.json'), JSON.stringify({ packages }));
    },
  );

function download() {
  const wheel = join(after('--dest'), 'tensorflow.whl');
  return work(
    'pip',
    () => put(wheel, 'half'),
    () => put(wheel, 'whole'),
  );
}

function unpack([, wheel, folder]) {
  const library = join(folder, 'deps', 'lib', 'libtensorflow_cc.so.2');
  return work(
    'unpack',
    () => put(library, 'half'),
    () => {
      put(library, readFileSync(wheel));
      put(join(folder, 'deps', 'include', 'c_api.h'), '');
      console.log(readdirSync(folder).length);
    },
  );
}

function compileBinding() {
  return work(
    'compile',
    () => put(after('-o'), BINDING.slice(0, 20)),
    () => put(after('-o'), BINDING),
  );
}

const compileTypescript = () =>
  work(
    'tsc',
    () => put(join('project', 'dist', 'index.js'), 'half'),
    () => put(join('project', 'dist', 'index.js'), 'whole'),
  );

const buildPages = () =>
  work(
    'vite',
    () => put(join('dist', 'web', 'index.html'), 'half'),
    () => put(join('dist', 'web', 'index.html'), 'whole'),
  );

const tool = basename(process.argv[1]);
if (tool === 'npm') await installPackages();
else if (tool === 'tsc') await compileTypescript();
else if (tool === 'vite.js') await buildPages();
else if (tool === 'g++' && args.includes('-o')) await compileBinding();
else if (tool === 'python3' && args.includes('download')) await download();
else if (tool === 'python3' && !args.includes('pip')) await unpack(args);
