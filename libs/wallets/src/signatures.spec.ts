import { describe, expect, it } from 'vitest';

import { shownAddress, signerOf, walletAddress } from './signatures.js';

// Printed in the documentation of a widely used wallet library: account, text and signature of personal_sign.
const ACCOUNT = '0x2c7536E3605D9C16a7a3D7b1898e529396a65c23';
const SIGNATURE =
  '0xb91467e570a6466aa9e9876cbcd013baba02900b8979d43fe208a4a4f339f5fd6007e74cd82e037b800186422fc2da167c747ef045e5d18a5f5d4300f8e1a0291c';

describe('addresses of wallets', () => {
  it('are those of EIP-55', () => {
    for (const shown of [
      '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed',
      '0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359',
      '0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB',
      '0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb',
    ]) {
      expect(walletAddress(shown)).toBe(shown.toLowerCase());
      expect(shownAddress(shown.toLowerCase())).toBe(shown);
      expect(walletAddress(shown.toLowerCase())).toBe(shown.toLowerCase());
    }
  });

  it('are refused with a letter of the wrong case, too short, or of another kind', () => {
    for (const wrong of ['0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed', '0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAe', 'alice', '', null, 5]) {
      expect(walletAddress(wrong)).toBeNull();
    }
  });
});

describe('signatures of texts', () => {
  it('tell who made them', () => {
    expect(signerOf('Some data', SIGNATURE)).toBe(ACCOUNT.toLowerCase());
    expect(signerOf('Some data', `${SIGNATURE.slice(0, -2)}01`)).toBe(ACCOUNT.toLowerCase());
  });

  it('of another text, or changed, are of somebody else or of nobody', () => {
    expect(signerOf('Some data!', SIGNATURE)).not.toBe(ACCOUNT.toLowerCase());
    expect(signerOf('Some data', `${SIGNATURE.slice(0, -2)}1b`)).not.toBe(ACCOUNT.toLowerCase());
    for (const wrong of ['', '0x', SIGNATURE.slice(0, -2), `${SIGNATURE.slice(0, -2)}1d`, `0x${'0'.repeat(128)}1b`, `0x${'f'.repeat(128)}1b`])
      expect(signerOf('Some data', wrong)).toBeNull();
  });
});
