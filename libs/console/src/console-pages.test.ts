import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { openRunFolder, runPaths } from '@mpa/storage';
import { openEmbeddedStreams } from '@mpa/streams';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.fixture.js';
import { writeReport } from './report/write-report.js';
import {
  addResults,
  addSamples,
  addSamplesElsewhere,
  addSteps,
  beginRun,
  drawImage,
  fateOf,
  finishRun,
  idOf,
  writeRun,
} from './run.fixture.js';
import type { Summary } from './run/summary.js';
import { startConsole, type RunningConsole } from './server/start-console.js';

/** Milliseconds for one thing to happen on a page, on a machine that is busy with something else. */
const PATIENCE = 30_000;
const MANY = 100_000;
const DESKTOP = { width: 1200, height: 800 };
const PHONE = { width: 360, height: 740 };

const work = realpathSync(mkdtempSync(join(tmpdir(), 'mpa-pages-')));
const runs = join(work, 'runs');
const image = join(work, 'image.png');
let server: RunningConsole;
let browser: Browser;
let contexts: BrowserContext[] = [];

beforeAll(async () => {
  mkdirSync(runs);
  await drawImage(image, 1);
  await writeRun(join(runs, 'one'), { learningRate: 0.1 });
  await writeRun(join(runs, 'two'), { learningRate: 0.2 });
  mkdirSync(join(runs, 'unreadable', 'streams'), { recursive: true });
  server = await startConsole({ runs, host: '127.0.0.1', port: 0 });
  browser = await openBrowser();
}, 300_000);
afterEach(async () => {
  await Promise.all(contexts.map((context) => context.close()));
  contexts = [];
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
  rmSync(work, { recursive: true });
});

interface PageOptions {
  readonly viewport?: { width: number; height: number };
  readonly colorScheme?: 'light' | 'dark';
}

/** Opens a page; whatever it complains about in the browser's console fails the test. */
async function open(path: string, { viewport = DESKTOP, colorScheme = 'light' }: PageOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport, colorScheme, reducedMotion: 'reduce' });
  contexts.push(context);
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  page.on('pageerror', (error) => expect.fail(`${path}: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') expect.fail(`${path}: ${message.text()}`);
  });
  await page.goto(new URL(path, server.address).href);
  return page;
}

const PAGES = {
  list: { path: '/', shows: 'Compare one' },
  run: { path: '/runs/one', shows: 'Where the models differ' },
  samples: { path: '/runs/one/samples', shows: '60 samples' },
  sample: { path: `/runs/one/samples?sample=${idOf(3)}&measure=confidence`, shows: 'It is round.' },
  comparison: { path: '/compare?run=one&run=two', shows: 'Settings that differ' },
};

async function openNamed(name: keyof typeof PAGES, options: PageOptions): Promise<Page> {
  const { path, shows } = PAGES[name];
  const page = await open(path, options);
  await page.getByText(shows).or(page.getByLabel(shows)).first().waitFor();
  return page;
}

const named = Object.keys(PAGES) as (keyof typeof PAGES)[];

describe('every page', () => {
  it.each(named.flatMap((name) => (['light', 'dark'] as const).map((colorScheme) => ({ name, colorScheme }))))(
    'has no violation that axe finds: $name, $colorScheme',
    async ({ name, colorScheme }) => {
      const page = await openNamed(name, { colorScheme });
      for (const summary of await page.locator('summary').all()) await summary.click();
      expect(await violations(page)).toEqual([]);
    },
    120_000,
  );

  it.each(named)(
    'does not scroll sideways at 360 px: %s',
    async (name) => {
      const page = await openNamed(name, { viewport: PHONE });
      for (const summary of await page.locator('summary').all()) await summary.click();
      const [wide, high] = await page.evaluate(() => [
        document.documentElement.scrollWidth,
        document.body.scrollHeight,
      ]);
      expect(wide).toBeLessThanOrEqual(PHONE.width);
      expect(high).toBeGreaterThan(100);
    },
    120_000,
  );

  it('and the report too', async () => {
    const folder = join(runs, 'one');
    const streams = openEmbeddedStreams(runPaths(folder).streams, { readOnly: true });
    const summary: Summary = {
      ...{
        run: folder,
        images: 60,
        annotated: 54,
        skipped: { damaged: 6 },
        selected: 36,
        selectedBy: {},
        rejected: {},
      },
      ...{ signals: {}, teacher: null, train: { steps: 0, firstLoss: null, lastLoss: null, terms: {} }, eval: {} },
      ...{ speed: { before: 1, after: 1, teacher: 1 }, seconds: 1 },
    };
    await writeReport(runPaths(folder), streams, summary, [1, 2, 3].map((step) => ({ step, loss: 1 / step, terms: {} }))); // prettier-ignore
    await streams.close();
    for (const colorScheme of ['light', 'dark'] as const) {
      const context = await browser.newContext({ viewport: PHONE, colorScheme });
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(`file://${runPaths(folder).report}`);
      expect(await violations(page)).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(PHONE.width);
    }
  }, 120_000);
});

async function violations(page: Page): Promise<string[]> {
  const found = await new AxeBuilder({ page }).analyze();
  return found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

describe('the keyboard alone', () => {
  it('goes from the list to a run, to its samples, filters them and opens one', async () => {
    const page = await open('/');
    await page.getByRole('link', { name: 'one' }).waitFor();
    await tabTo(page, 'Skip to the content');
    await tabTo(page, 'one');
    await page.keyboard.press('Enter');
    await focused(page, /^one/);
    await page.getByRole('link', { name: 'Samples', exact: true }).waitFor();
    await tabTo(page, 'Samples');
    await page.keyboard.press('Enter');
    await focused(page, /^Samples of one/);
    await page.getByText('60 samples').waitFor();
    await tabTo(page, 'Question or answer');
    await page.keyboard.type('pear 1');
    await page.getByText('6 samples').waitFor();
    await tabTo(page, 'Decision');
    await page.keyboard.type('selected');
    await page.getByText('3 samples').waitFor();
    await tabTo(page, 'Order');
    await page.keyboard.type('by question');
    await page.waitForURL('**/samples?text=pear+1&outcome=selected&order=question');
    await tabTo(page, /number 12\?/);
    await page.keyboard.press('End');
    await focused(page, /number 18\?/);
    await page.keyboard.press('ArrowUp');
    await focused(page, /number 15\?/);
    await page.keyboard.press('Enter');
    await focused(page, /^What is number 15\?$/);
    await tabTo(page, 'image alone');
    await page.keyboard.press('ArrowRight');
    await page.getByLabel('Where the L-VLM looks: bright where it does').waitFor();
    await page.keyboard.press('ArrowRight');
    await page.getByLabel('Where the S-VLM looks: bright where it does').waitFor();
    await page.keyboard.press('Shift+Tab');
    await focused(page, 'Back to the list');
    await page.keyboard.press('Enter');
    await focused(page, /number 15\?.*pear 15/);
  }, 180_000);

  it('chooses two runs and compares them', async () => {
    const page = await open('/');
    await page.getByRole('link', { name: 'one' }).waitFor();
    for (const name of ['Compare one', 'Compare two']) {
      await page.getByLabel(name).focus();
      await page.keyboard.press('Space');
    }
    await tabTo(page, 'Compare');
    await page.keyboard.press('Enter');
    await focused(page, /^Comparison/);
    const changed = page.getByRole('row', { name: 'config.trainer.learningRate' });
    await changed.waitFor();
    expect(await changed.getByRole('cell').allTextContents()).toEqual(['0.1', '0.2']);
  }, 120_000);
});

/** Presses Tab until what has the focus goes by that name; each stop must show that it has it. */
async function tabTo(page: Page, name: string | RegExp): Promise<void> {
  for (let presses = 0; presses < 60; presses++) {
    await page.keyboard.press('Tab');
    const { said, outline } = await page.evaluate(() => {
      const element = document.activeElement as HTMLElement & { labels?: NodeListOf<HTMLElement> };
      const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.firstChild?.textContent ?? '';
      const own = element.labels?.[0]?.textContent ?? '';
      const said = (label.trim() || own.trim() || element.textContent || '').trim();
      return { said, outline: getComputedStyle(element).outlineStyle };
    });
    expect(outline, said).not.toBe('none');
    if (typeof name === 'string' ? said === name : name.test(said)) return;
  }
  expect.fail(`Tab never came to ${name}`);
}

async function focused(page: Page, name: string | RegExp): Promise<void> {
  const text = (): Promise<string> => page.evaluate(() => document.activeElement?.textContent?.trim() ?? '');
  await expect.poll(text, { timeout: PATIENCE }).toMatch(name);
}

describe('a run of 100,000 samples', () => {
  beforeAll(async () => {
    beginRun(join(runs, 'many'));
    await addSamples(join(runs, 'many'), 0, MANY, () => image);
    finishRun(join(runs, 'many'));
  }, 600_000);

  it('is browsed with only what is in sight in the page', async () => {
    const page = await open('/runs/many/samples');
    await page.getByText('100,000 samples').waitFor({ timeout: 120_000 });
    const nodes = (): Promise<number> => page.evaluate(() => document.querySelectorAll('*').length);
    expect(await nodes()).toBeLessThan(400);
    const received: number[] = [];
    page.on('response', async (response) => {
      if (response.url().includes('/samples?')) received.push((await response.body()).length);
    });
    await page.getByRole('link', { name: /What is number/ }).first().focus(); // prettier-ignore
    await page.keyboard.press('End');
    await expect.poll(() => page.evaluate(() => document.activeElement?.parentElement?.ariaPosInSet)).toBe('100000');
    expect(await nodes()).toBeLessThan(400);
    const pears = [9999, ...Array.from({ length: 10 }, (_, i) => 99990 + i)];
    const fitting = pears.filter((n) => ['student_differs', 'rejected'].includes(fateOf(n)));
    await page.getByLabel('Question or answer').fill('pear 9999');
    await page.getByText(`${fitting.length} samples`, { exact: true }).waitFor();
    await page.getByLabel('Order').selectOption('confidence');
    await page.getByRole('link', { name: /number 99998/ }).waitFor();
    await expect.poll(() => page.locator('.row').count()).toBe(fitting.length);
    await page.getByLabel('Question or answer').fill('');
    await page.getByText('100,000 samples').waitFor();
    expect(await nodes()).toBeLessThan(400);
    expect(Math.max(...received)).toBeLessThan(100_000);
  }, 300_000);
});

describe('a run that goes on', () => {
  it('is followed without a reload', async () => {
    const folder = join(runs, 'live');
    beginRun(folder);
    const lock = await openRunFolder(folder);
    try {
      const page = await open('/runs/live');
      await page.getByText('▶ running').or(page.getByText('running')).first().waitFor();
      await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
      const stage = (name: string): Promise<string | null> => page.locator('.stages li', { hasText: name }).textContent(); // prettier-ignore
      writeFileSync(runPaths(folder).state, JSON.stringify({ seconds: 1, images: 40, questions: { chartqa: 12 } }));
      await addSamplesElsewhere(folder, 0, 20, image);
      await expect.poll(() => stage('annotate'), { timeout: PATIENCE }).toContain('20 of 40');
      await addSamplesElsewhere(folder, 20, 40, image);
      await expect.poll(() => stage('annotate'), { timeout: PATIENCE }).toContain('40 of 40');
      addSteps(folder, 0, 5, 10);
      await page.getByLabel(/^Training loss from 2\.000 at step 1 to 0\.400 at step 5/).waitFor();
      addSteps(folder, 5, 10, 10);
      await page.getByLabel(/^Training loss .* at step 10/).waitFor();
      await page.getByRole('img', { name: /^Term of the loss: reasoning/ }).waitFor();
      addResults(folder, 'chartqa', 12);
      await page.getByRole('row', { name: /^chartqa 25\.0/ }).waitFor();
      const list = await open('/runs/live/samples');
      await list.getByText('40 samples').waitFor();
      await addSamplesElsewhere(folder, 40, 50, image);
      await list.getByText('50 samples').waitFor();
      finishRun(folder);
      await page.getByText('finished').first().waitFor();
      expect(await page.evaluate(() => 'sameDocument' in globalThis)).toBe(true);
    } finally {
      await lock.close();
    }
  }, 300_000);

  it('says so when it is removed', async () => {
    const folder = join(runs, 'short-lived');
    beginRun(folder);
    const page = await open('/runs/short-lived');
    await page.getByText('stopped').first().waitFor();
    rmSync(folder, { recursive: true });
    await page.getByRole('alert').filter({ hasText: 'short-lived was removed' }).waitFor();
  }, 120_000);
});
