"""What becomes of OpenAI code on Tess, read from its source: `ast` only, nothing is imported or run.

| room                                                   | what it does                                   |
| ------------------------------------------------------ | ---------------------------------------------- |
| `check_command`                                        | the command                                    |
| `project`, `notebooks`                                 | find and read files, and their dotted names    |
| `recorder`, `scopes`                                   | names that a module binds, places to look at   |
| `redaction`                                            | blanks the keys in lines that are shown        |
| `inference`, `values`                                  | what expressions can be, in bounded steps      |
| `names`, `classes`, `called`, `passed_values`          | the flows that it follows                      |
| `literals`, `arguments`                                | the JSON that an expression means              |
| `libraries`, `frameworks`, `endpoints`, `known_models` | names of the SDK, frameworks, APIs and models  |
| `sites`, `constructors`, `mentions`, `variables`       | find the sites                                 |
| `converted`                                            | what is made for Tess already, and how         |
| `effects`, `translations`                              | ask the adapter's core about arguments         |
| `places`, `findings`, `summary`                        | sites, verdicts, counts                        |
| `report`, `sarif`                                      | say it as text, JSON or SARIF                  |
"""
