import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { rejectionReasons } from '@mpa/alignment';
import { annotator } from '@mpa/annotator';
import { alignConfigSchema } from '@mpa/cli';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { processConfig, serverConfig } from '@mpa/service-kit';
import { trainer } from '@mpa/trainer';
import { describe, expect, it } from 'vitest';
import { documents, guide, namesIn, ROOT, rowsOf } from './documents.js';
import { flagsIn, helpOf, missingIn } from './named-command.js';
import { readMarkdown } from './markdown.js';

/** A part of what `toJSONSchema` gives. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  /** What is `false` or an object: off, or on with its settings. */
  readonly anyOf?: readonly Schema[];
}

/** Longer texts stand in the guide as `built in`. */
const LONGEST_DEFAULT = 20;

/** Every key of a configuration by its path, with its default in JSON, `required` or `none`. */
function keysOf(schema: Schema, prefix = ''): [key: string, value: string][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const key = `${prefix}${name}`;
    if (property.properties) return keysOf(property, `${key}.`);
    const settings = property.anyOf?.find(({ properties }) => properties);
    if (settings) {
      const off: [string, string][] = property.default === false ? [[key, 'false']] : [];
      return [...off, ...keysOf(settings, `${key}.`)];
    }
    if (schema.required?.includes(name)) return [[key, 'required']];
    return defaultsOf(key, property.default);
  });
}

/** A default that is an object stands in the guide as one row per entry. */
function defaultsOf(key: string, value: unknown): [string, string][] {
  if (value === undefined) return [[key, 'none']];
  const entries = value instanceof Object && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length > 0) return entries.flatMap(([name, inner]) => defaultsOf(`${key}.${name}`, inner));
  const text = JSON.stringify(value);
  return [[key, typeof value === 'string' && value.length > LONGEST_DEFAULT ? 'built in' : text]];
}

/** The same from a table of the guide. */
function documentedKeys(title: string, prefix = ''): [string, string][] {
  return rowsOf(title).map(([name, value]) => {
    const json = /^`(.*)`$/.exec(value!)?.[1];
    return [prefix + name!.replaceAll('`', ''), json === undefined ? value! : JSON.stringify(JSON.parse(json))];
  });
}

/** Sections of `--config` that have tables of their own. */
const DOCUMENTED_ELSEWHERE = { annotator: true, parity: true, trainer: true, evaluator: true, images: true, kafka: true, tracing: true } as const; // prettier-ignore

const sorted = (keys: readonly (readonly [string, string])[]): object => Object.fromEntries([...keys].sort());

describe('configuration keys and defaults in the guide', () => {
  it.each([annotator, parity, evaluator])('are those of $name', ({ name, config }) => {
    const shared = ['model', 'endpoint', 'images'].filter((part) => part in config.shape);
    const own = new Map([
      ...shared.flatMap((part) => documentedKeys(`key of \`${part}\``, `${part}.`)),
      ...documentedKeys(`key of \`${name}\``),
    ]);
    const documented = [...own].filter(([, value]) => value !== 'no key');
    expect(sorted(documented)).toEqual(sorted(keysOf(config.toJSONSchema({ io: 'input' }) as Schema)));
  });

  it.each([
    [
      'trainer',
      trainer.config,
      [...documentedKeys('key of `trainer`'), ...documentedKeys('key of `images`', 'images.')],
    ],
    ['mpa align', alignConfigSchema.omit(DOCUMENTED_ELSEWHERE), documentedKeys('key of `mpa align`')],
    ['every service', serverConfig.extend(processConfig.shape), documentedKeys('key of every service')],
  ] as const)('are those of %s', (_, config, documented) => {
    expect(sorted(documented)).toEqual(sorted(keysOf(config.toJSONSchema({ io: 'input' }) as Schema)));
  });
});

describe('flags in the guide', () => {
  const titles = guide.tables.flatMap(({ header }) => /^`mpa (.+)`$/.exec(header[0]!)?.[1] ?? []);

  it('have a table for every command', async () => {
    const listed = [...(await helpOf('')).matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
    expect(titles.map((title) => title.split(' ')[0]).sort()).toEqual(listed.filter((name) => name !== 'help').sort());
  });

  it.concurrent.each(titles)('are those of mpa %s, with their defaults', async (command) => {
    const help = optionsIn(await helpOf(command));
    const rows = rowsOf(`\`mpa ${command}\``);
    expect(rows.flatMap(([flag]) => flagsIn(flag!.slice(1))).sort()).toEqual([...help.keys()].sort());
    for (const [flag, value] of rows.filter(({ length }) => length === 3)) {
      const said = /default: "?(.*?)"?\)/.exec(help.get(flagsIn(flag!.slice(1))[0]!)!)?.[1] ?? '';
      expect(said.split('/').at(-1), flag).toBe(value!.replaceAll('`', ''));
    }
  });
});

/** The options of a help text, with what it says about each. */
function optionsIn(help: string): Map<string, string> {
  const paragraphs = help.split(/^ {2}(?=-)/m).slice(1);
  const named = paragraphs.map((text) => [flagsIn(text)[0]!, text.replaceAll(/\s+/g, ' ')] as const);
  return new Map(named.filter(([flag]) => flag !== '--help'));
}

describe('commands in the text of the documents', () => {
  const spans = [...documents.values()].flatMap((document) => document.spans);
  const named = new Set(spans.filter((span) => /^(npm|npx|mpa) /.test(span)));

  it.concurrent.each([...named])('exist, with their flags: %s', async (command) => {
    expect(await missingIn(command)).toEqual([]);
  });
});

describe('messages and reasons in the guide', () => {
  const code = sourceText();

  it.each(namesIn('message'))('can come: %s', (message) => {
    for (const part of message.split('…')) expect(code.includes(part.trim()), part).toBe(true);
  });

  it.each(namesIn('skipped because of'))('%s is a reason', (reason) => expect(code.includes(`'${reason}'`)).toBe(true));

  it('are all of a rejection', () => {
    expect(namesIn('rejected because of').sort()).toEqual([...rejectionReasons].sort());
  });
});

describe('what stands against each threat', () => {
  const security = documents.get('docs/security.md')!;
  const rows = security.tables.flatMap((table) => table.rows);

  it.each(rows)('%s: is proven by tests that are there', (_threat, _mitigation, proof) => {
    const files = [...proof.matchAll(/`([^`]+\.test\.\w+)`: ((?:“[^”]+”(?:, )?)+)/g)];
    expect(files.map(([whole]) => whole).join('; ')).toBe(proof);
    for (const [, file, names] of files) {
      const code = readFileSync(join(ROOT, file!), 'utf8');
      for (const [, name] of names!.matchAll(/“([^”]+)”/g)) expect(code.includes(name!), `${file}: ${name}`).toBe(true);
    }
  });
});

describe('the metrics and alerts in docs/observability.md', () => {
  const path = 'docs/observability.md';
  const table = documents.get(path)!.tables.find(({ header }) => header[0] === 'metric')!;

  it('are all that the code makes', () => {
    const made = [...sourceText().matchAll(/\bname: '((?:mpa|grpc_server)_\w+)'/g)].map(([, name]) => name!);
    expect(table.rows.map(([name]) => name!.replaceAll('`', '')).sort()).toEqual(made.sort());
  });

  it('say what to do about every alert', () => {
    const alerts = readFileSync(join(ROOT, 'deploy/prometheus/alerts.yml'), 'utf8');
    const runbooks = [...alerts.matchAll(/runbook: (\S+)/g)].map(([, link]) => link!);
    expect(runbooks).toHaveLength(alerts.match(/- alert: /g)!.length);
    expect(runbooks.filter((link) => !leadsSomewhere(join(ROOT, 'README.md'), link))).toEqual([]);
  });
});

describe('links of the documents', () => {
  it.each([...documents])('of %s lead somewhere', (path, { links }) => {
    const broken = links.filter((link) => !/^https?:/.test(link) && !leadsSomewhere(join(ROOT, path), link));
    expect(broken).toEqual([]);
  });
});

function leadsSomewhere(from: string, link: string): boolean {
  const [path, anchor] = link.split('#') as [string, string?];
  const target = path === '' ? from : join(dirname(from), path);
  if (!existsSync(target)) return false;
  return anchor === undefined || readMarkdown(readFileSync(target, 'utf8')).anchors.includes(anchor);
}

/** The text of all that may write a message: our sources, and gRPC's picker. */
function sourceText(): string {
  const files = ['libs', 'services'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => /^[^/]+\/(src|bin)\/.*\.(ts|mjs|js)$/.test(file) && !/\.(test|fixture)\./.test(file))
      .map((file) => join(folder, file)),
  );
  const picker = 'node_modules/@grpc/grpc-js/build/src/picker.js';
  return [...files, picker].map((file) => readFileSync(join(ROOT, file), 'utf8')).join('\n');
}
