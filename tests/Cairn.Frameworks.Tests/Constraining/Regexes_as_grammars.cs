using System.Text;
using System.Text.RegularExpressions;
using Cairn.Frameworks.Constraining;
using CsCheck;

namespace Cairn.Frameworks.Tests.Constraining;

public sealed class Regexes_as_grammars
{
    private static Gen<string> OneOf(params string[] values) => Gen.Int[0, values.Length - 1].Select(i => values[i]);

    private static readonly Gen<string> Pattern = Gen.Recursive<string>((depth, self) =>
    {
        var atom = OneOf("a", "b", "é", "日", "😀", "\"", @"\\", @"\.", ".", "[ab]", "[^a]", "[a-f0-3]",
            @"\d", @"\w", @"[^\w]", @"\u0061", @"[\]é-ü]", "[日-月]");
        if (depth > 4) return atom;
        return Gen.Frequency((4, atom), (3, Gen.Select(self, self, (a, b) => a + b)), (1, self.Select(a => $"({a})")),
            (2, Gen.Select(self, self, (a, b) => $"(?:{a}|{b})")),
            (2, Gen.Select(self, OneOf("*", "+", "?", "{2}", "{0,2}", "{1,}", "*?"), (a, q) => $"(?:{a}){q}")));
    });

    private static readonly Gen<string> Text =
        OneOf("a", "b", "é", "日", "😀", "\"", "\\", ".", "\n", "0", "5", "_", "ö", "f").List[0, 7].Select(string.Concat);

    [Fact]
    public void A_text_is_taken_where_the_frameworks_own_expressions_match_it()
    {
        Gen.Select(Pattern, Text.Array[1, 20]).Sample((pattern, texts) =>
        {
            var grammar = Grammar.FromRegex(pattern);
            // The framework matches UTF-16 units: where a pattern counts characters beyond the first plane it cannot be the judge.
            foreach (var text in texts)
            {
                if (pattern.Any(char.IsSurrogate) || text.Any(char.IsSurrogate)) continue;
                Assert.Equal(Reference(pattern, text), grammar.Accepts(text));
            }
        }, iter: 800);
    }

    // ECMAScript's dot and classes in .NET's words; its own ECMAScript mode refuses the rest of Unicode.
    private static bool Reference(string pattern, string text)
    {
        var translated = new StringBuilder();
        var inClass = false;
        for (var i = 0; i < pattern.Length; i++)
        {
            if (pattern[i] == '\\')
            {
                var escape = pattern.Substring(i++, 2);
                var set = escape switch { @"\d" => "0-9", @"\w" => "a-zA-Z0-9_", _ => null };
                translated.Append(set is null ? escape : inClass ? set : $"[{set}]");
                continue;
            }
            if (pattern[i] is '[' or ']') inClass = pattern[i] == '[';
            if (pattern[i] == '.' && !inClass) translated.Append("[^\\n\\r\\u2028\\u2029]");
            else translated.Append(pattern[i]);
        }
        // The backtracking engine runs out of its stack on loops of loops.
        return Regex.IsMatch(text, $@"\A(?:{translated})\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }

    [Fact]
    public void Random_walks_say_what_the_expression_matches()
    {
        var ended = 0;
        Gen.Select(Pattern, Gen.Int).Sample((pattern, seed) =>
        {
            if (pattern.Any(char.IsSurrogate)) return;
            var text = Grammar.FromRegex(pattern).TryRandomText(Vocabulary.Small, new Random(seed), 20, 1000);
            if (text is null) return; // the walk went round and round
            Interlocked.Increment(ref ended);
            if (!text.Any(char.IsSurrogate)) Assert.True(Reference(pattern, text), $"{pattern} said {text}");
        }, iter: 400);
        Assert.True(ended > 100, $"only {ended} walks ended");
    }

    [Theory]
    [InlineData("^abc$", "abc", true)]
    [InlineData("^abc$", "xabc", false)]
    [InlineData("(?i)Straße", "STRAßE", true)]
    [InlineData("(?i)[a-c]+", "aBC", true)]
    [InlineData(@"\p{Lu}\p{Ll}+", "Élan", true)]
    [InlineData(@"\p{Lu}", "é", false)]
    [InlineData(@"\P{L}", "1", true)]
    [InlineData("(?<year>[0-9]{4})", "2026", true)]
    [InlineData("😀{3}", "😀😀😀", true)]
    [InlineData(".", "😀", true)]
    [InlineData(@"\u{1F600}|\uD83D\uDE01", "😁", true)]
    [InlineData(@"a\/b\-c", "a/b-c", true)]
    [InlineData("x{,2}", "x{,2}", true)]
    [InlineData("", "", true)]
    [InlineData("a|", "", true)]
    public void Syntax(string pattern, string text, bool taken) => Assert.Equal(taken, Grammar.FromRegex(pattern).Accepts(text));

    [Theory]
    [InlineData("a(b", "a group that is not closed, at character 2")]
    [InlineData("a)b", "an unopened ')', at character 2")]
    [InlineData("[a", "a class that is not closed")]
    [InlineData("[z-a]", "a range whose end is before its beginning")]
    [InlineData("*a", "a '*' with nothing before it")]
    [InlineData(@"(a)\1", "a back-reference")]
    [InlineData("a(?=b)", "a look-around")]
    [InlineData("(?<!a)b", "a look-around")]
    [InlineData(@"\bword\b", "a word boundary")]
    [InlineData("a^b", "inside")]
    [InlineData(@"\q", @"an unknown escape '\q'")]
    [InlineData("a{3,2}", "minimum is above its maximum")]
    [InlineData("(?:(?:a{1000}){1000}){1000}", "states")]
    [InlineData("[^\\s\\S]", "No text satisfies")]
    [InlineData("(a|b)*a(a|b){30}", "states")]
    [InlineData("(a?){10000}", "too ambiguous")]
    public void What_cannot_be_held_is_refused_with_its_place(string pattern, string message) =>
        Assert.Contains(message, Assert.Throws<GrammarException>(() => Grammar.FromRegex(pattern)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_choice_is_one_of_its_texts_and_nothing_else()
    {
        var grammar = Grammar.FromChoices(["yes", "yes, but", "no.", "日本"]);
        Assert.All(new[] { "yes", "yes, but", "no.", "日本" }, t => Assert.True(grammar.Accepts(t)));
        Assert.All(new[] { "", "ye", "yes,", "nox", "no.no." }, t => Assert.False(grammar.Accepts(t)));
        Assert.Throws<GrammarException>(() => Grammar.FromChoices([]));
    }
}
