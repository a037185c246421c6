namespace Cairn.Frameworks.Tokenizing;

/// <summary>A tokenizer's file cannot be used. The message names the file, the place in it, the value and what was expected.</summary>
public sealed class TokenizerFormatException(string message, Exception? inner = null) : Exception(message, inner);
