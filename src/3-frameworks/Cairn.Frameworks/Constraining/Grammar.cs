using System.Text.Json;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Constraining;

/// <summary>The texts that a generation may say, compiled. Immutable and shared between generations.</summary>
public sealed class Grammar
{
    /// <summary>Every JSON text that the schema accepts, in the schema's order of properties.</summary>
    /// <exception cref="GrammarException">The schema is malformed, refers to itself without consuming anything, is too large, or uses a keyword that cannot be held; the message has the JSON pointer.</exception>
    public static Grammar FromJsonSchema(JsonElement schema) => throw new NotImplementedException();

    /// <summary>Any JSON object.</summary>
    public static Grammar JsonObject { get; } = null!;

    /// <summary>Texts that match the whole expression (the common core of ECMA and RE2 syntax; no back-references, no look-around).</summary>
    /// <exception cref="GrammarException">The expression is malformed or too large.</exception>
    public static Grammar FromRegex(string pattern) => throw new NotImplementedException();
}

/// <summary>A tokenizer's tokens as a trie over bytes. One per tokenizer; immutable.</summary>
public sealed class TokenTrie
{
    public TokenTrie(Tokenizer tokenizer, IReadOnlyCollection<int> endTokens) => throw new NotImplementedException();
}

/// <summary>Where one generation stands in its grammar. Not for concurrent use.</summary>
public sealed class GrammarState
{
    public GrammarState(Grammar grammar, TokenTrie tokens) => throw new NotImplementedException();

    /// <summary>One bit per token id, lowest first: the tokens after which the text can still be completed, and the end tokens where it is complete. Never all zero. Valid until <see cref="Advance"/>.</summary>
    public ReadOnlySpan<ulong> Allowed => throw new NotImplementedException();

    /// <summary>Whether nothing but an end token may follow.</summary>
    public bool IsFinished => throw new NotImplementedException();

    /// <summary>Takes a token that was allowed.</summary>
    public void Advance(int token) => throw new NotImplementedException();
}

/// <summary>A schema or an expression cannot be compiled.</summary>
public sealed class GrammarException(string message) : Exception(message);
