namespace Cairn.Frameworks.Constraining;

/// <summary>A schema or an expression cannot be compiled, or a tokenizer cannot say what it asks for.</summary>
public sealed class GrammarException(string message) : Exception(message);
