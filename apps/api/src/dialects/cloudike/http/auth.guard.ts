import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';

import { AuditRecorder } from '#libs/audit';
import { type AccountActor, DomainError, isDomainError } from '#libs/kernel';

import { clientOf } from '../../../http/request-client.js';
import { CloudikeCredentials, credentialOf } from './credentials.js';
import { actionOf, factsOf } from './record.interceptor.js';
import type { CloudikeRequest } from './route-metadata.js';

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
    const { auth, wiped } = request.cloudike.route;
    if (auth === 'public') return true;
    if (wiped) {
      const credential = credentialOf(request.headers);
      request.cloudike.actor = credential && 'token' in credential ? await this.credentials.byWipedToken(credential.token) : null;
      request.cloudike.wiped = request.cloudike.actor !== null;
      if (request.cloudike.actor) return true;
    }
    request.cloudike.actor = await (auth === 'optional' ? this.actorIfAny(request) : this.actorOf(request));
    if (auth === 'account' && !request.cloudike.actor)
      throw new DomainError('UNAUTHENTICATED', 'This call needs a token in the Mountbit-Auth header, or HTTP Basic.');
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
    const credential = credentialOf(request.headers);
    if (!credential) return null;
    const client = clientOf(request);
    if ('token' in credential) return this.credentials.byToken(credential.token, client);
    try {
      return await this.credentials.byBasic(credential.userPass, client);
    } catch (error) {
      const name = credential.userPass.slice(0, credential.userPass.indexOf(':'));
      const params = () => ({ kept: { route: actionOf(request.cloudike.route.name) }, logins: [name] });
      await this.recorder.refused({ ...factsOf(request, 'Basic.signIn'), params }, isDomainError(error) ? error.code : 'INTERNAL');
      throw error;
    }
  }
}
