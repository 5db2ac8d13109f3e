import { describe, expect, it } from 'vitest';
import { endpointKey, keyAdvice } from './endpoint-key.js';

const env = { OPENAI_API_KEY: 'of a vendor', OURS: 'of our server' };

describe('the key of an endpoint', () => {
  it.each(['https://api.example.com/v1', 'http://127.0.0.1:8000/v1', 'http://localhost:8000/v1'])(
    'is that of the usual variable for %s',
    (url) => expect(endpointKey({ url }, env)).toBe('of a vendor'),
  );

  it('does not travel unencrypted to another machine, unless its variable is named', () => {
    const url = 'http://gpu-box:8000/v1';
    expect(endpointKey({ url }, env)).toBeUndefined();
    expect(endpointKey({ url, keyVariable: 'OURS' }, env)).toBe('of our server');
    expect(keyAdvice({ url })).toMatch(/no key is sent unencrypted unless .* is named/);
    expect(keyAdvice({ url, keyVariable: 'OURS' })).toMatch(/right key into the environment variable OURS/);
  });
});
