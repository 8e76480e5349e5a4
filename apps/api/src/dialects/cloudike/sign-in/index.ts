import { SignInModule } from '#libs/sign-in';

import { IdentityProviderController } from './identity-provider.controller.js';
import { Oauth1Controller } from './oauth1.controller.js';
import { ProvidersController } from './providers.controller.js';
import { SecondFactorController } from './second-factor.controller.js';

/** Controllers of second factors, providers and directories, and what they need. */
export const SIGN_IN_CONTROLLERS = [SecondFactorController, ProvidersController, IdentityProviderController, Oauth1Controller];
export const SIGN_IN_MODULES = [SignInModule];
