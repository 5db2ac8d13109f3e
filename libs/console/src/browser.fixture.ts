import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { chromium, type Browser } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
const ARGUMENTS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync']; // prettier-ignore

/** Starts the Chromium that `MPA_CHROMIUM` names, or that is in the path. Throws an Error that names the package to install. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({ executablePath: findChromium(process.env), args: ARGUMENTS });
}

function findChromium({ MPA_CHROMIUM, PATH = '' }: NodeJS.ProcessEnv): string {
  const places = PATH.split(delimiter).flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = (MPA_CHROMIUM ? [MPA_CHROMIUM] : places).find(isExecutable);
  if (found) return found;
  throw new Error(
    MPA_CHROMIUM
      ? `MPA_CHROMIUM names no program: ${MPA_CHROMIUM}`
      : `there is no Chromium in the path: install Debian's package chromium (apt-get install chromium), or name one in MPA_CHROMIUM`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
