/** A way to pay. DI token of all that this installation has: `PaymentProviders`. */
export abstract class PaymentProvider {
  /** What companies choose it by. */
  abstract readonly id: string;
  abstract readonly name: string;

  /** Forgets the card of a company, if the provider keeps one. May be repeated. */
  abstract forgetCard(companyId: number): Promise<void>;
}

/** Nothing is paid, and no card is kept. */
export class NoPayment extends PaymentProvider {
  override readonly id = 'none';
  override readonly name = 'No payment';

  override forgetCard(): Promise<void> {
    return Promise.resolve();
  }
}

/** The ways to pay of this installation, `none` first. */
export class PaymentProviders {
  constructor(readonly all: readonly [PaymentProvider, ...PaymentProvider[]]) {}
}
