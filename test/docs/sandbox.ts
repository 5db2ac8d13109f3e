import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'; // prettier-ignore
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { writeWorld } from '@mpa/benchmarks';
import { freePort } from '../free-port.js';
import { ROOT } from './documents.js';

/** How a command ended. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * A folder in the place of the repository's, in which the commands of the documents find what its placeholders stand for:
 * `models/large` and `models/small` are the tiny checkpoint, `photos` its images, `shards` a tar file, `lists` names `photos`, `labels` a drawn benchmark,
 * `stvqa` another, `written.json` questions about `photos`.
 */
export class Sandbox {
  readonly folder = mkdtempSync(join(tmpdir(), 'mpa-docs-'));
  readonly #serving: { readonly child: ChildProcess; readonly ended: Promise<Ended> }[] = [];

  /** @param files configuration files to lie there; each port in them is exchanged for a free one */
  static async make(files: ReadonlyMap<string, string>): Promise<Sandbox> {
    const sandbox = new Sandbox();
    const at = (...parts: string[]): string => join(sandbox.folder, ...parts);
    const model = join(ROOT, 'test/fixtures/vlm/smolvlm-a');
    for (const name of ['node_modules', 'libs', 'test', 'package.json']) symlinkSync(join(ROOT, name), at(name));
    mkdirSync(at('models'));
    for (const name of ['large', 'small']) symlinkSync(model, at('models', name));
    cpSync(join(model, 'images'), at('photos'), { recursive: true });
    copyFileSync(at('photos', readdirSync(at('photos'))[0]!), at('photos', 'chart.png'));
    mkdirSync(at('shards'));
    copyFileSync(join(ROOT, 'libs/storage/fixtures/gnu.tar'), at('shards', '00000.tar'));
    mkdirSync(at('lists'));
    writeFileSync(at('lists', 'train.jsonl'), '{"image": "../photos/chart.png"}\n');
    await writeWorld({ task: 'chartqa', split: 'test', count: 1, seed: 1, out: at('labels') });
    const { annotations } = await writeWorld({ task: 'stvqa', split: 'test', count: 4, seed: 1, out: at('stvqa') });
    renameSync(annotations!, at('stvqa', 'train_task_1.json'));
    const written = { image_path: 'chart.png', predicted_question: 'What is it', predicted_answer: 'a chart' };
    writeFileSync(at('written.json'), JSON.stringify([written]));
    const ports = new Map<string, number>();
    for (const [name, content] of files) {
      for (const [port] of content.matchAll(/(?<=127\.0\.0\.1:)\d+/g)) {
        if (!ports.has(port)) ports.set(port, await freePort());
      }
      writeFileSync(
        at(name),
        content.replaceAll(/(?<=127\.0\.0\.1:)\d+/g, (port) => String(ports.get(port))),
      );
    }
    return sandbox;
  }

  /** Runs a command to its end. npx takes what is installed, and downloads nothing. */
  run(command: string): Promise<Ended> {
    return this.#start(command).ended;
  }

  /** Starts a service and gives back once it says that it serves. Throws an Error when it ends instead. */
  async serve(command: string): Promise<void> {
    const started = this.#start(command.replace(/^npx /, 'exec node_modules/.bin/'));
    this.#serving.push(started);
    await new Promise<void>((resolve, reject) => {
      started.child.stdout!.on('data', (chunk: Buffer) => chunk.includes('is serving') && resolve());
      void started.ended.then(({ stderr }) => reject(new Error(`${command} ended: ${stderr}`)));
    });
  }

  /** Stops what serves, and removes the folder. Gives the exit codes. */
  async close(): Promise<(number | null)[]> {
    for (const { child } of this.#serving) child.kill('SIGTERM');
    const ended = await Promise.all(this.#serving.map((each) => each.ended));
    rmSync(this.folder, { recursive: true });
    return ended.map(({ code }) => code);
  }

  #start(command: string): { child: ChildProcess; ended: Promise<Ended> } {
    const child = spawn('sh', ['-c', command], {
      cwd: this.folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, npm_config_yes: 'false', npm_config_offline: 'true' },
    });
    const output = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    return { child, ended: output.then(([stdout, stderr]) => ({ code: child.exitCode, stdout, stderr })) };
  }
}
