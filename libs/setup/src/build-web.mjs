/** Builds the pages of `mpa console` if need be; `npm run build` and `npm test` call it. */
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { runMain } from './set-up.mjs';
import { buildWeb } from './web-build.mjs';

await runMain(() => buildWeb(REPOSITORY_ROOT));
