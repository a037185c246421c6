using System.Text;
using Cairn.Frameworks.Constraining;

namespace Cairn.Frameworks.Tests.Constraining;

/// <summary>Made-up vocabularies: every byte, an end token, and longer tokens of the kinds that real ones have.</summary>
internal static class Vocabulary
{
    public const int End = 256;

    private static readonly string[] Common =
    [
        "{\"", "\":", "\": ", "\": \"", "\",", "\", \"", "\",\"", "\"}", "\"}}", "\"]", "},", "}, {", "}]", "]}", "],", "{}", "[]", "[[",
        "{\"a\":", " \"", ", ",
        "\n", "\n  ", "\n    ", "  ", "true", "false", "null", "tru", "ull", "name", "na", "value", " the", "hello", " world",
        "0", "12", "123", "-1", "1.5", "00",
        "e+", "é", "ü", "日本", "😀", "\\n", "\\\"", "\\u00", "\\", "kind", "kind\":\"", "a", "ab", "abc",
        "b\"", "c\",\"d", ".", "!\"", "2024", "-0", ":0", "T1",
    ];

    public static TokenTrie Small { get; } = new(SmallTokens(), [End]);

    public static List<ReadOnlyMemory<byte>> SmallTokens()
    {
        var tokens = Bytes();
        tokens.AddRange(Common.Select(t => new ReadOnlyMemory<byte>(Encoding.UTF8.GetBytes(t))));
        tokens.AddRange([new byte[] { 0xE6, 0x97 }, new byte[] { 0xA5, (byte)'"' }, new byte[] { 0xC3 }, new byte[] { 0xF0, 0x9F }]);
        return tokens;
    }

    /// <summary>Random words, with and without a blank before and punctuation behind, as byte-level vocabularies have them.</summary>
    public static TokenTrie Random(int size, int seed)
    {
        var random = new Random(seed);
        var tokens = SmallTokens();
        var known = tokens.Select(t => Convert.ToHexString(t.Span)).ToHashSet();
        while (tokens.Count < size)
        {
            var length = 2 + random.Next(3) + random.Next(5);
            var word = new StringBuilder(random.Next(2) == 0 ? " " : "");
            for (var i = 0; i < length; i++) word.Append("etaoinshrdlucmfwypvbgkjqxz"[Math.Min(random.Next(26), random.Next(26))]);
            if (random.Next(40) == 0) word.Append("\"}],.:"[random.Next(6)]);
            if (random.Next(50) == 0) word.Insert(0, "\"([{.,"[random.Next(6)]);
            var bytes = Encoding.UTF8.GetBytes(random.Next(8) == 0 ? word.ToString().ToUpperInvariant() : word.ToString());
            if (known.Add(Convert.ToHexString(bytes))) tokens.Add(bytes);
        }
        return new TokenTrie(tokens, [End]);
    }

    public static List<ReadOnlyMemory<byte>> Bytes() =>
        [.. Enumerable.Range(0, 256).Select(b => new ReadOnlyMemory<byte>([(byte)b])), default];
}

internal static class GrammarTesting
{
    public static bool Accepts(this Grammar grammar, string text)
    {
        var state = new GrammarState(grammar, Vocabulary.Small);
        return state.TryAdvance(Encoding.UTF8.GetBytes(text)) && state.IsComplete;
    }

    public static bool IsAllowed(this GrammarState state, int token) => (state.Allowed[token / 64] >> (token % 64) & 1) != 0;

    public static List<int> AllowedTokens(this GrammarState state, TokenTrie trie) =>
        [.. Enumerable.Range(0, trie.VocabularySize).Where(state.IsAllowed)];

    /// <summary>Says random allowed tokens until the end; after a while those that bring it nearer.</summary>
    public static string RandomText(this Grammar grammar, TokenTrie trie, Random random, int patience = 150)
    {
        var text = grammar.TryRandomText(trie, random, patience, 50_000);
        Assert.NotNull(text);
        return text;
    }

    /// <summary>Null where the end is not met in so many steps.</summary>
    public static string? TryRandomText(this Grammar grammar, TokenTrie trie, Random random, int patience, int steps)
    {
        var state = new GrammarState(grammar, trie);
        var text = new List<byte>();
        for (var step = 0; step < steps; step++)
        {
            var allowed = state.AllowedTokens(trie);
            Assert.NotEmpty(allowed);
            var hurry = step > patience;
            // Half of the time only: a quotation mark may also be content, and closing nothing.
            var closing = "\"}]".Select(c => (int)c).FirstOrDefault(allowed.Contains);
            var token = hurry && allowed.Contains(Vocabulary.End) ? Vocabulary.End
                : hurry && random.Next(2) == 0 && closing > 0 ? closing
                : allowed[random.Next(allowed.Count)];
            state.Advance(token);
            if (token == Vocabulary.End) return new UTF8Encoding(false, true).GetString([.. text]);
            text.AddRange(trie.BytesOf(token));
        }
        return null;
    }

    /// <summary>Tokens that spell the text, chosen at random among those that fit.</summary>
    public static List<int> RandomTokens(TokenTrie trie, byte[] text, Random random)
    {
        var tokens = new List<int>();
        for (var at = 0; at < text.Length;)
        {
            var fitting = Enumerable.Range(0, trie.VocabularySize)
                .Where(t => !trie.BytesOf(t).IsEmpty && text.AsSpan(at).StartsWith(trie.BytesOf(t))).ToList();
            tokens.Add(fitting[random.Next(fitting.Count)]);
            at += trie.BytesOf(tokens[^1]).Length;
        }
        return tokens;
    }
}
