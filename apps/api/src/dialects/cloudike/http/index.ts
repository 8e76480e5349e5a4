// What controllers of the dialect use:
//   @CloudikeController('accounts')
//   export class LoginController {
//     constructor(private readonly logins: LoginService) {}
//
//     @Route('accounts/login', { auth: 'public', summary: 'Log in', errors: { LOGIN_TAKEN: [404, 'AlreadyExists'] } })
//     async login(@Params(LoginDto) params: LoginDto, @CurrentCaller() caller: Caller) {
//       return presentLogin(await this.logins.login(...));
//     }
//   }
// A DTO is a class whose properties carry @Text @Int @Bool @Ms @List @IdList @Path @PathList @Md5 @Json (wire name = property in snake_case, or `name`/`aliases`)
// and, where needed, rules of class-validator. The returned value is the JSON body with status 200; `Reply` says more; `ok()` is "no data".
export { CloudikeCredentials } from './credentials.js';
export { CloudikeHttpModule } from './cloudike-http.module.js';
export { Bool, IdList, Int, Json, List, Md5, Ms, Path, PathList, Text, Value } from './fields.js';
export { ok, Reply } from './reply.js';
export {
  type Caller,
  CurrentActor,
  CurrentCaller,
  Header,
  IsWiped,
  OptionalActor,
  Params,
  PathTail,
  Signed,
  UrlSegment,
} from './request-decorators.js';
export { CloudikeController, Route } from './route.js';
