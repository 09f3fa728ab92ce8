"""What becomes of OpenAI code on Tess, read from its source: `ast` only, nothing is imported or run.

| room        | what it does                                                                     |
|-------------|----------------------------------------------------------------------------------|
| `project`   | finds and parses files, and knows which name of which module is which file        |
| `scopes`    | the names that a module binds, and where                                          |
| `hidden`    | blanks the keys in lines that are shown                                          |
| `values`    | what an expression can be, as far as it matters here                              |
| `inference` | follows names, attributes, calls and annotations to clients                       |
| `literals`  | follows expressions to the JSON that they stand for                               |
| `libraries` | which names of the SDK and of what wraps it make clients                          |
| `frameworks` | which names of LangChain and LlamaIndex make models                              |
| `variables` | finds what reads or sets OpenAI's variables of the environment                    |
| `clients`   | judges constructors of clients and models, and the methods of models              |
| `sites`     | finds the call sites                                                              |
| `effects`     | asks the adapter's own core what becomes of each argument                         |
| `report`    | says it as text, JSON or SARIF                                                    |
"""
