/** Builds the pages of `mpa console` if need be; `npm run build` and `npm test` call it. */
import { REPOSITORY_ROOT } from './repository-root.mjs';
import { runMain } from './set-up.mjs';
import { buildPages } from './pages-build.mjs';

await runMain(() => buildPages(REPOSITORY_ROOT));
