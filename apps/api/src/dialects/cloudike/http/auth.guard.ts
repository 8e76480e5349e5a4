import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

import { AuditRecorder } from '#libs/audit';
import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';

import { clientOf } from '../../../http/request-client.js';
import { CloudikeCredentials, type Credential, credentialOf } from './credentials.js';
import { actionOf, factsOf } from './record.interceptor.js';
import type { CloudikeRequest } from './route-metadata.js';
import { signedRequestOf } from './signed-request.js';

/** A credential, with the token in place of the signature that proved it. */
type Shown = Exclude<Credential, { readonly signed: string }> | { readonly tokenId: string };

/** Turns the credential of a request into its actor, as far as the route asks for one. What the actor may do is decided in the use cases. */
@Injectable()
export class CloudikeAuthGuard implements CanActivate {
  constructor(
    private readonly credentials: CloudikeCredentials,
    private readonly recorder: AuditRecorder,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<CloudikeRequest>();
    // Express knows more spellings of the internal path than the entry refuses; whoever did not come in by the entry has no call
    if (!request.cloudike) throw new DomainError('ROUTE_NOT_FOUND', 'There is no such route.');
    const { auth } = request.cloudike.route;
    if (auth === 'public') return true;
    request.cloudike.actor = await (auth === 'optional' ? this.actorIfAny(request) : this.actorOf(request));
    if (auth === 'account' && !request.cloudike.actor)
      throw new DomainError('UNAUTHENTICATED', 'This call needs a token in the Mountbit-Auth header, HTTP Basic, or a signature by OAuth 1.0.');
    return true;
  }

  /** A token that has ended is no reason to refuse what needs none: programs send the last one they had. A wrong password is. */
  private async actorIfAny(request: CloudikeRequest): Promise<AccountActor | null> {
    try {
      return await this.actorOf(request);
    } catch (error) {
      if (isDomainError(error) && error.code === 'UNAUTHENTICATED') return null;
      throw error;
    }
  }

  private async actorOf(request: CloudikeRequest): Promise<AccountActor | null> {
    const credential = await this.shown(request);
    if (!credential) return null;
    if (request.cloudike.route.wiped) {
      const device = await this.wipedDevice(credential);
      request.cloudike.wiped = device !== null;
      if (device) return device;
    }
    const client = clientOf(request);
    if ('token' in credential) return this.credentials.byToken(credential.token, client, request.cloudike.route);
    if ('tokenId' in credential) return this.credentials.byTokenId(credential.tokenId, client, request.cloudike.route);
    return this.byBasic(request, credential.userPass);
  }

  private async shown(request: CloudikeRequest): Promise<Shown | null> {
    const credential = credentialOf(request.headers);
    if (!credential || !('signed' in credential)) return credential;
    return { tokenId: await this.credentials.signedBy(await signedRequestOf(request)) };
  }

  private async wipedDevice(credential: Shown): Promise<AccountActor | null> {
    if ('token' in credential) return this.credentials.byWipedToken(credential.token);
    return 'tokenId' in credential ? this.credentials.byWipedTokenId(credential.tokenId) : null;
  }

  private async byBasic(request: CloudikeRequest, userPass: string): Promise<AccountActor> {
    try {
      return await this.credentials.byBasic(userPass, clientOf(request), request.cloudike.route);
    } catch (error) {
      const name = userPass.slice(0, userPass.indexOf(':'));
      const params = () => ({ kept: { route: actionOf(request.cloudike.route.name) }, logins: [name] });
      await this.recorder.refused({ ...factsOf(request, 'Basic.signIn'), params }, isDomainError(error) ? error.code : 'INTERNAL');
      throw error;
    }
  }
}
