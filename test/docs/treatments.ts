/** What the test does with a command of the documents. */
export interface Treatment {
  /** How the command begins; the first treatment that fits is taken. */
  readonly starts: string;
  /**
   * - `run`: it is run as it stands, or with `add` behind it, and must end with exit code 0;
   * - `serve`: it is run, with `add` behind it, until all documents are done; it must say that it serves, and end with exit code 0 at SIGTERM;
   * - `parse`: it is run with one flag more, which does not exist, and must name just that: so all others do exist;
   * - `exists`: its npm script must be there, and the paths behind it.
   */
  readonly how: 'run' | 'serve' | 'parse' | 'exists';
  /** Flags put behind the command; the last one of a kind counts. */
  readonly add?: string;
  /** Stands in for `starts`. */
  readonly as?: string;
  /** Why it is not run as it stands. */
  readonly why?: string;
}

/** Every command that a document may give. */
export const treatments: readonly Treatment[] = [
  { starts: 'npx mpa doctor', how: 'run' },
  {
    starts:
      'npx mpa align --images photos --task chartqa --teacher models/large --student models/small --out runs/photos --streams kafka',
    how: 'parse',
    why: 'needs a cluster; libs/cli tests it',
  },
  { starts: 'npx mpa align --images s3://corpus/photos', how: 'parse', why: 'needs a bucket' },
  { starts: 'npx mpa align --images https://images.example.org/train.jsonl', how: 'parse', why: 'needs that server' },
  { starts: 'npx mpa align --teacher', how: 'parse', why: 'needs a server of others; test/endpoint has one' },
  { starts: 'npx mpa align', how: 'run' },
  { starts: 'npx mpa analyze', how: 'run' },
  { starts: 'npx mpa import', how: 'run' },
  { starts: 'npx mpa export', how: 'run' },
  { starts: 'npx mpa answer', how: 'run' },
  { starts: 'npx mpa evaluate', how: 'run' },
  { starts: 'npx mpa compare', how: 'run' },
  { starts: 'npx mpa efficiency', how: 'run' },
  { starts: 'npx mpa split', how: 'run' },
  { starts: 'echo', how: 'run' },
  { starts: 'npx mpa serve', how: 'serve' },
  { starts: 'npx mpa console', how: 'serve', add: '--port 0', why: 'its own port may be taken' },
  { starts: 'npx mpa world', how: 'run', add: '--count 2', why: 'a few images show it' },
  { starts: 'npx mpa pretrain --size small', how: 'run', add: '--steps 1', why: 'takes hours' },
  { starts: 'npx mpa pretrain --size large', how: 'parse', why: 'takes hours; the small one is run' },
  { starts: 'npm start', how: 'parse', as: 'npx mpa demo', why: 'takes minutes; its flags are those of mpa demo' },
  { starts: 'npm run setup', how: 'parse', why: 'may download; this test runs on what it has set up' },
  { starts: 'npm run ablation', how: 'parse', as: 'node test/dist/ablation/main.js', why: 'takes hours' },
  {
    starts: 'npm run simulate',
    how: 'parse',
    as: 'node test/dist/simulate/main.js',
    why: 'runs set-up; its parts have tests',
  },
  { starts: 'npm run soak', how: 'exists', why: 'takes half an hour' },
  { starts: 'npm run bench', how: 'exists', why: 'its figures want a quiet machine' },
  { starts: 'npm run faults', how: 'exists', why: 'takes an hour; test/faults has a short form' },
  { starts: 'npm run kafka', how: 'exists', why: 'needs Java and Maven; libs/setup tests it' },
  { starts: 'docker build', how: 'exists', why: 'needs an engine; npm run kubernetes carries out the steps' },
  { starts: 'helm', how: 'exists', why: 'needs a cluster; npm run kubernetes installs and upgrades the chart' },
  { starts: 'kubectl', how: 'exists', why: 'needs a cluster' },
  { starts: 'npm run kubernetes', how: 'exists', why: 'builds a Kubernetes API server' },
  { starts: 'grpcurl', how: 'exists', why: 'a program of others; libs/service-kit tests what it asks' },
  { starts: 'npx mpa topics', how: 'parse', why: 'needs a cluster; libs/cli tests it' },
  { starts: 'npm run audit', how: 'exists', why: 'asks the registry' },
  { starts: 'npm test', how: 'exists', why: 'runs this test' },
  { starts: 'npm run build', how: 'exists', why: 'this test runs on what it has built' },
  { starts: 'npm run interop', how: 'exists', why: 'installs gigabytes of Python' },
  { starts: 'prometheus', how: 'exists', why: 'is not on every machine; npm run interop runs it on this file' },
  { starts: 'npm run format', how: 'exists', why: 'changes files' },
  { starts: 'sh docs/images/demo.sh', how: 'exists', why: 'needs a run' },
  { starts: 'sh docs/images/console.sh', how: 'exists', why: 'needs a run' },
];

/** What is to be done with a command; undefined for one that nobody has thought about. */
export function treatmentOf(command: string): Treatment | undefined {
  return treatments.find(({ starts }) => command === starts || command.startsWith(`${starts} `));
}
