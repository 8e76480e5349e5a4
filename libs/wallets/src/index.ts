export type { WalletProof } from './repositories/wallet-proof.repository.js';
export { personalHash, shownAddress, signerOf, walletAddress } from './signatures.js';
export { type WalletChallenge, WalletProofs } from './wallet-proofs.service.js';
export { WalletsModule } from './wallets.module.js';
