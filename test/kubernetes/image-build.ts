import { cpSync, mkdirSync } from 'node:fs';
import { join, posix, relative } from 'node:path';
import type { Copy } from 'dockerfile-ast';
import { DockerfileParser, From, type Instruction, type JSONInstruction } from 'dockerfile-ast';
import { runProgram } from './run-program.js';

const COPY_MS = 10 * 60_000;
const RUN_MS = 30 * 60_000;

/** What a stage of a Dockerfile comes to. */
export interface Stage {
  /** Folder that is its root file system. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  /** Values of its ARGs, which RUN sees and the image does not keep. */
  readonly args: Readonly<Record<string, string>>;
  readonly workdir: string;
  /** UID:GID */
  readonly user: string;
  readonly entrypoint: readonly string[];
}

/** What a build has beside its Dockerfile. */
export interface BuildOptions {
  /** Folder that `COPY` without `--from` copies from. */
  readonly context: string;
  /** Text of its .dockerignore. */
  readonly ignore: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** Root file systems by the name of their image. */
  readonly images: Readonly<Record<string, string>>;
  /** Folder for the root file systems of the stages. */
  readonly work: string;
  /** Further variables of RUN, which no image keeps. */
  readonly networkEnv: Readonly<Record<string, string>>;
  /** Folder on this machine for every `--mount=type=cache`, by its target. */
  readonly caches: Readonly<Record<string, string>>;
}

/**
 * Carries out a Dockerfile without an engine: every stage is a folder, and RUN is chroot. Knows what ours uses: FROM with variables,
 * ARG, ENV, WORKDIR, USER, COPY, RUN with cache mounts, ENTRYPOINT. Needs root. Throws an Error for anything else, and
 * for a step that fails, with its output.
 */
export class ImageBuild {
  readonly #stages = new Map<string, Promise<Stage>>();
  readonly #globals: Record<string, string>;
  readonly #instructions: readonly Instruction[];

  constructor(
    dockerfile: string,
    private readonly options: BuildOptions,
  ) {
    this.#instructions = DockerfileParser.parse(dockerfile).getInstructions();
    this.#globals = {};
    for (const instruction of this.#instructions) {
      if (instruction instanceof From) break;
      Object.assign(this.#globals, this.#argument(wordsOf(instruction)[0]!, this.#globals));
    }
  }

  /** Builds a stage and those that it is made from, each once. */
  stage(name: string): Promise<Stage> {
    const known = this.#stages.get(name) ?? this.#build(name);
    this.#stages.set(name, known);
    return known;
  }

  async #build(name: string): Promise<Stage> {
    const image = this.options.images[name];
    if (image !== undefined) return { root: image, env: {}, args: {}, workdir: '/', user: '0:0', entrypoint: [] };
    const start = this.#instructions.findIndex((each) => each instanceof From && each.getBuildStage() === name);
    const from = this.#instructions[start];
    if (!(from instanceof From)) throw new Error(`there is neither a stage nor an image ${name}`);
    const base = await this.stage(expand(wordsOf(from)[0]!, this.#globals));
    const root = join(this.options.work, name);
    await runProgram('cp', ['-a', base.root, root], { timeoutMs: COPY_MS });
    let stage: Stage = { ...base, root };
    for (const instruction of this.#instructions.slice(start + 1)) {
      if (instruction instanceof From) break;
      stage = { ...stage, ...(await this.#step(stage, instruction)) };
    }
    return stage;
  }

  async #step(stage: Stage, instruction: Instruction): Promise<Partial<Stage>> {
    const keyword = instruction.getKeyword();
    const words = wordsOf(instruction);
    const variables = { ...stage.args, ...stage.env };
    switch (keyword) {
      case 'ARG':
        return { args: { ...stage.args, ...this.#argument(words[0]!, variables) } };
      case 'ENV':
        return { env: { ...stage.env, ...Object.fromEntries(words.map((word) => pairOf(expand(word, variables)))) } };
      case 'WORKDIR': {
        const workdir = posix.resolve(stage.workdir, words[0]!);
        mkdirSync(join(stage.root, workdir), { recursive: true });
        return { workdir };
      }
      case 'USER':
        return { user: words[0]! };
      case 'COPY':
        await this.#copy(stage, instruction as Copy);
        return {};
      case 'RUN':
        await this.#run(stage, instruction);
        return {};
      case 'ENTRYPOINT':
        return { entrypoint: (instruction as JSONInstruction).getJSONStrings().map((each) => each.getJSONValue()) };
      default:
        throw new Error(`${keyword} is not known here`);
    }
  }

  /** An ARG: the value that the build was given, else its default, else the one from before the first FROM. */
  #argument(word: string, variables: Readonly<Record<string, string>>): Record<string, string> {
    const [name, value] = pairOf(word);
    const fallback = value === '' ? this.#globals[name] : expand(value, variables);
    return { [name]: this.options.buildArgs[name] ?? fallback ?? '' };
  }

  async #copy(stage: Stage, copy: Copy): Promise<void> {
    const words = wordsOf(copy).filter((word) => !word.startsWith('--'));
    const [source, target] = [words[0]!, join(stage.root, posix.resolve(stage.workdir, words[1]!))];
    const from = copy.getFromFlag()?.getValue();
    if (from === undefined || from === null) {
      const ignored = ignoredBy(this.options.ignore);
      const filter = (path: string): boolean => !ignored(relative(this.options.context, path));
      cpSync(join(this.options.context, source), target, { recursive: true, verbatimSymlinks: true, filter });
      return;
    }
    const origin = join((await this.stage(from)).root, source);
    mkdirSync(posix.dirname(target), { recursive: true });
    await runProgram('cp', ['-aT', origin, target], { timeoutMs: COPY_MS });
  }

  async #run({ root, env, args, workdir }: Stage, run: Instruction): Promise<void> {
    const mounts = [...(run.getArgumentsContent() ?? '').matchAll(/--mount=type=cache,target=(\S+)/g)];
    const command = (run.getArgumentsContent() ?? '').replaceAll(/--mount=\S+\s+/g, '');
    const binds = mounts.map(
      ([, target]) => `mkdir -p ${root}${target} && mount --bind ${this.options.caches[target!]} ${root}${target}`,
    );
    const setUp = [`mount --rbind /dev ${root}/dev`, `mount -t proc proc ${root}/proc`, ...binds].join(' && ');
    const script = `${setUp} && exec chroot ${root} env -i "$@"`;
    const set = Object.entries({ PATH: IMAGE_PATH, HOME: '/root', ...this.options.networkEnv, ...args, ...env }).map(
      (pair) => pair.join('='),
    );
    console.log(`RUN ${command}`);
    await runProgram(
      'unshare',
      ['--mount', 'sh', '-c', script, 'sh', ...set, 'sh', '-c', `cd ${workdir} && ${command}`],
      { timeoutMs: RUN_MS },
    );
  }
}

/** The PATH of Debian's and Node's images. */
export const IMAGE_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

function wordsOf(instruction: Instruction): string[] {
  return (instruction.getArgumentsContent() ?? '').split(/\s+/).filter(Boolean);
}

function pairOf(word: string): [name: string, value: string] {
  const at = word.indexOf('=');
  return at < 0 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)];
}

function expand(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => variables[name] ?? '');
}

/** The patterns that ours has: `NAME`, `PATH/NAME`, and `**` before a name or an ending. */
function ignoredBy(text: string): (path: string) => boolean {
  const patterns = text.split('\n').filter(Boolean);
  return (path) =>
    patterns.some((pattern) => {
      const anywhere = /^\*\*\/(\*?)(.+)$/.exec(pattern);
      if (!anywhere) return path === pattern || path.startsWith(`${pattern}/`);
      const [, star, name] = anywhere;
      return path.split('/').some((part) => (star ? part.endsWith(name!) : part === name));
    });
}
