import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { annotator } from '@mpa/annotator';
import { evaluator } from '@mpa/evaluator';
import { parity } from '@mpa/parity';
import { checkConfig, configSchema, imageAccess, Places, type Service } from '@mpa/service-kit';
import { ImageStore } from '@mpa/storage';
import { trainer } from '@mpa/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { CHART, commandsIn, configIn, renderChart } from './rendered-chart.js';

const ROOT = join(import.meta.dirname, '../..');
let work: string;

beforeAll(() => {
  work = mkdtempSync(join(tmpdir(), 'mpa-places-'));
  for (const folder of ['data', 'mnt/lists', 'mnt/photos/2026', 'mnt/other', 'mnt/models/small', 'mnt/vqa/images'])
    mkdirSync(join(work, folder), { recursive: true });
  for (const file of ['mnt/lists/all.jsonl', 'mnt/photos/1.tar', 'mnt/vqa/val.json'])
    writeFileSync(join(work, file), '');
});
afterAll(() => rmSync(work, { recursive: true }));

/** A path of a pod, where this machine has it; so it has what an image holds. */
const here = (text: string): string =>
  text.replaceAll(/\/(data|mnt)(?=[/"#]|$)/g, `${work}/$1`).replaceAll('/opt/mpa', ROOT);

type Config = Readonly<Record<string, unknown>> & { readonly places: Parameters<typeof Places.of>[0] };

/** The configuration of a service, checked and filled up by itself. */
function configOf<S extends z.ZodObject>(manifests: string, service: Service<S>): Config {
  const raw: unknown = JSON.parse(here(JSON.stringify(configIn(manifests, service.name))));
  return checkConfig(raw, configSchema(service), service.name) as unknown as Config;
}

const broker = ['--set', 'kafka.brokers={kafka:9092}'];
const set = (values: object): string[] => Object.entries(values).flatMap(([key, value]) => ['--set-json', `${key}=${JSON.stringify(value)}`]); // prettier-ignore

const runs: readonly (readonly [
  string,
  readonly string[],
  { readonly images: string[]; readonly others: string[] },
])[] = [
  [
    'on a laptop',
    ['--values', join(CHART, 'values-laptop.yaml')],
    { images: ['/data/drawn/images/1.png'], others: ['/etc/passwd', '/mnt/photos/1.png', 'https://example.com/1.png'] },
  ],
  [
    'on a fleet',
    ['--values', join(CHART, 'values-gpu-fleet.yaml')],
    { images: ['s3://corpus/photos/1.png'], others: ['s3://others/photos/1.png', 'http://169.254.169.254/1.png'] },
  ],
  [
    'of a list with images in buckets, folders and on web servers',
    [
      ...broker,
      ...set({ 'run.images': '/mnt/lists/all.jsonl', 'run.imageRoots': ['s3://corpus/photos', '/mnt/photos'] }),
      ...set({ 'run.allowHosts': ['*.example.com', 'example.org:8443'], 'images.allowHosts': ['example.net'] }),
    ],
    {
      images: [
        ...['/mnt/lists/1.png', '/mnt/photos/2026/1.png', 's3://corpus/photos/1.png', 'https://a.example.com/1.png'],
        ...['http://a.b.example.com/1.png', 'https://example.org:8443/1.png', 'http://example.net/1.png'],
      ],
      others: ['s3://corpus/private/1.png', '/mnt/other/1.png', 'https://example.com.evil.example/1.png'],
    },
  ],
  [
    'of a glob, with models and questions on other volumes and a teacher behind an endpoint',
    [
      ...broker,
      ...set({ 'run.images': '/mnt/photos/{2025,2026}/**/*.png', 'run.student': '/mnt/models/small' }),
      ...set({ 'run.teacher': 'https://teacher/v1', 'run.teacherModel': 'large' }),
      ...set({ 'run.evaluation': { annotations: '/mnt/vqa/val.json', images: '/mnt/vqa/images' } }),
    ],
    { images: ['/mnt/photos/2026/1.png'], others: ['/mnt/vqa/images/1.png', '/mnt/other/1.png'] },
  ],
  [
    'of a shard',
    [...broker, ...set({ 'run.images': '/mnt/photos/1.tar' })],
    { images: ['/mnt/photos/1.tar'], others: ['/mnt/photos/2026/1.png'] },
  ],
];

describe.each(runs)('a run %s', (_, values, { images, others }) => {
  it.each([annotator, parity, trainer] as readonly Service<z.ZodObject>[])(
    'has its images read by the $name, and no others',
    async (service) => {
      const { places, images: access } = configOf(await renderChart(values), service);
      const store = new ImageStore({ ...imageAccess.parse(access), roots: (await Places.of(places)).images });
      for (const image of images) await store.check(here(image));
      for (const other of others) await expect(store.check(here(other))).rejects.toMatchObject({ code: 'not-allowed' });
    },
  );

  it('names no model, questions or records that trainer and evaluator may not have', async () => {
    const manifests = await renderChart(values);
    const args = commandsIn(manifests).at(-1)!.map(here);
    const flag = (name: string): string[] => (args.includes(name) ? [args[args.indexOf(name) + 1]!] : []);
    const [out, records] = [flag('--out')[0]!, `kafka://${flag('--brokers')[0]}/${flag('--prefix')[0]}`];
    const learning = await Places.of(configOf(manifests, trainer).places);
    await learning.checkRead(...flag('--student'));
    await learning.checkWrite(records, join(out, 'checkpoint'));
    const judging = await Places.of(configOf(manifests, evaluator).places);
    const models = [...flag('--student'), ...flag('--teacher').map((teacher) => `${teacher}#${flag('--teacher-model').join()}`.replace(/#$/, ''))]; // prettier-ignore
    await judging.checkRead(...models, ...flag('--eval'), ...flag('--eval-images'));
    await judging.checkWrite(join(out, 'results.jsonl'));
    await expect(judging.checkRead(join(work, 'mnt/other'))).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  });
});
