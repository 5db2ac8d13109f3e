import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, ModelService, TrainerService } from '@mpa/contracts';
import { expect, it } from 'vitest';
import { drawImages } from '../endpoint/annotate-images.js';
import { startChatServer } from '../endpoint/chat-server.js';

const mpa = fileURLToPath(new URL('../../libs/cli/bin/mpa.js', import.meta.url));
const student = fileURLToPath(new URL('../fixtures/vlm/smolvlm-a/', import.meta.url));

/** Addresses of the services that have started, by name. */
function serving(log: string): Record<string, string> {
  const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];
  const all = lines.map((line) => JSON.parse(line) as { name: string; address?: string });
  return Object.fromEntries(all.flatMap(({ name, address }) => (address === undefined ? [] : [[name, address]])));
}

it('a service in the process of mpa align answers nobody else', { timeout: 300_000 }, async () => {
  const work = mkdtempSync(join(tmpdir(), 'mpa-own-'));
  // An endpoint that leaves the run waiting.
  const endpoint = await startChatServer({ fault: () => 'hang' });
  const images = join(work, 'images');
  await drawImages(images, 1);
  const where = ['--images', images, '--task', 'chartqa', '--out', join(work, 'run')];
  const models = ['--student', student, '--teacher', endpoint.url, '--teacher-model', 'tiny'];
  const child = spawn(process.execPath, [mpa, 'align', ...where, ...models], { stdio: 'ignore' });
  try {
    const log = join(work, 'run', 'services.log');
    await expect.poll(() => Object.keys(serving(log)), { timeout: 120_000 }).toContain('trainer');
    const { parity, trainer } = serving(log);
    for (const token of [undefined, () => 'a-token-that-somebody-guesses']) {
      const model = createClient(ModelService, parity!, { ...(token && { token }) });
      const training = createClient(TrainerService, trainer!, { ...(token && { token }) });
      const next = training
        .train({ output: join(work, 'x') })
        [Symbol.asyncIterator]()
        .next();
      await expect(next).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      await expect(model.answer({ questions: ['?'] })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      model.close();
      training.close();
    }
  } finally {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await endpoint.close();
    rmSync(work, { recursive: true });
  }
});
