import { type Client, DomainError } from '#libs/kernel';
import { WalletProofs } from '#libs/wallets';

import type { DialectCall } from '../../../http/dialect/dialect.js';
import { CurrentCall, CurrentClient, JsonBody, QueryParams } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { QuicksyncTokens } from '../auth/tokens.js';
import type { Body } from '../http/body.js';
import { QuicksyncController } from '../http/controller.js';

const BODY_BYTES = 16 * 1024;
const TEXT = { type: 'string' };
/** The chains whose wallets sign as EIP-191 says. */
const CHAINS = ['ethereum'];

@QuicksyncController('wallet-proof')
export class WalletController {
  constructor(
    private readonly proofs: WalletProofs,
    private readonly tokens: QuicksyncTokens,
  ) {}

  @Route('GET', 'wallet-proof/nonce', {
    auth: 'public',
    summary: 'A message to sign with a wallet, within 5 minutes',
    answer: { type: 'object', properties: { nonce: { type: 'integer', format: 'int64' }, message: TEXT } },
  })
  nonce() {
    return this.proofs.challenge();
  }

  @Route('POST', 'wallet-proof/verify', {
    auth: 'public',
    audit: 'sign-in',
    summary: 'Prove a wallet by its signature of such a message; the token is good for 15 minutes, for making and joining sessions',
    query: { chain: { type: 'string', enum: ['Ethereum'] } },
    body: { types: ['application/json'], schema: { type: 'object', properties: { walletAddress: TEXT, message: TEXT, signature: TEXT } } },
    answer: { type: 'object', properties: { token: TEXT } },
    refusals: ['INVALID_ARGUMENT', 'RATE_LIMITED'],
  })
  async verify(
    @JsonBody(BODY_BYTES) body: Body,
    @QueryParams() query: URLSearchParams,
    @CurrentClient() client: Client,
    @CurrentCall() call: DialectCall,
  ) {
    const chain = query.get('chain') ?? '';
    if (chain !== '' && !CHAINS.includes(chain.toLowerCase())) throw new DomainError('INVALID_ARGUMENT', 'Wallets of this chain cannot be proven.');
    const { walletAddress: address, message, signature } = body;
    if (typeof address === 'string') call.logins.push(address.slice(0, 100).toLowerCase());
    return { token: this.tokens.signWallet(await this.proofs.verify({ address, message, signature }, client.address)) };
  }
}
