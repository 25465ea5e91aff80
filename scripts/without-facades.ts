// A static import of a built-in module makes Node wrap it for ES modules, which calls every getter of it: `node:http` alone then loads
// undici, 20 ms that nobody asked for. The same object without the wrapper comes from process.getBuiltinModule. A step of bundle.ts.
import { isBuiltin } from 'node:module'
import { parseAst } from 'rolldown/parseAst'

/** `code` (an ES module) with its imports of built-in modules turned into plain constants. Other imports stay. */
export function withoutFacades(code: string): string {
  let result = code
  for (const node of parseAst(code).body.toReversed()) {
    if (node.type !== 'ImportDeclaration' || !isBuiltin(node.source.value)) continue
    const object = `process.getBuiltinModule(${JSON.stringify(node.source.value)})`
    const named: string[] = []
    const whole: string[] = []
    for (const specifier of node.specifiers) {
      if (specifier.type !== 'ImportSpecifier') whole.push(specifier.local.name)
      else if (specifier.imported.type !== 'Identifier') throw new Error(`bundle: an import of ${node.source.value} that is not a name`)
      else if (specifier.imported.name === 'default') whole.push(specifier.local.name)
      else
        named.push(
          specifier.imported.name === specifier.local.name ? specifier.local.name : `${specifier.imported.name}:${specifier.local.name}`,
        )
    }
    const constants = [...whole, ...(named.length > 0 ? [`{${named.join(',')}}`] : [])].map((pattern) => `${pattern}=${object}`)
    const statement = constants.length > 0 ? `const ${constants.join(',')};` : ''
    result = result.slice(0, node.start) + statement + result.slice(node.end)
  }
  return result
}
