import { expect, it } from 'vitest';
import { requireNodeVersion } from './node-version.mjs';

it('accepts Node.js 20.19 and newer only', () => {
  for (const version of ['20.19.0', '20.20.2', '22.0.0', '25.1.0'])
    expect(() => requireNodeVersion(version)).not.toThrow();
  for (const version of ['18.20.4', '20.18.3']) expect(() => requireNodeVersion(version)).toThrow(/20\.19/);
});
