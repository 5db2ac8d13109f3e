import { SetupError } from './setup-error.mjs';

const OLDEST = [20, 19];

/**
 * @param {string} version as in `process.versions.node`
 * @throws {SetupError} when Node.js is too old for the project's tools
 */
export function requireNodeVersion(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new SetupError(`Node.js ${OLDEST.join('.')} or newer is needed; this is ${version} (see https://nodejs.org)`);
  }
}
