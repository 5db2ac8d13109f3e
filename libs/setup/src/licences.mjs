/** Licences, by their SPDX names, of what may be used: permissive ones, and those of fonts and word lists. */
const PERMISSIVE = new Set(
  '0BSD Apache-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause CC-BY-4.0 CC0-1.0 ISC MIT OFL-1.1 Python-2.0 UFL-1.0 Unlicense'.split(
    ' ',
  ),
);

/** Beginnings of packages that may be used under another licence, with it, and why. */
const EXCEPTIONS = [
  // libvips, which sharp loads as a shared library, unchanged.
  { name: '@img/sharp-', licence: 'LGPL-3.0-or-later' },
];

/**
 * The packages that the product runs with and whose licence is neither permissive nor an exception, as `NAME: LICENCE`.
 *
 * @param {{packages: Record<string, {license?: string, dev?: boolean, link?: boolean}>}} lock `package-lock.json`
 * @returns {string[]}
 */
export function refusedLicences({ packages }) {
  return Object.entries(packages).flatMap(([path, { license = 'none', dev, link }]) => {
    const [, name] = /.*node_modules\/(.+)$/.exec(path) ?? [];
    if (name === undefined || dev || link || isAllowed(license, name)) return [];
    return [`${name}: ${license}`];
  });
}

/** An SPDX expression: one side of each `OR`, and all of each `AND`. */
function isAllowed(licence, name) {
  const exceptions = EXCEPTIONS.filter((each) => name.startsWith(each.name)).map((each) => each.licence);
  const allowed = (one) => PERMISSIVE.has(one) || exceptions.includes(one);
  const words = licence.replaceAll(/[()]/g, '');
  return words.split(' OR ').some((side) => side.split(' AND ').every((one) => allowed(one.trim())));
}
