using Cairn.Frameworks.Sampling;
using CsCheck;

namespace Cairn.Frameworks.Tests.Sampling;

public sealed class Stop_strings
{
    private static readonly Gen<string> Letters = Gen.String[Gen.Char["ab"], 1, 5];

    [Fact]
    public void Text_ends_before_the_stop_that_is_complete_first_wherever_it_is_cut()
    {
        Gen.Select(Letters.List[0, 3], Gen.String[Gen.Char["ab"], 0, 30], Gen.Int[1, 5].Array[30]).Sample((stops, text, cuts) =>
        {
            var (expected, found) = Definition(stops, text);
            var finder = new StopStrings(stops);
            var said = "";
            var stopped = false;
            for (int at = 0, piece = 0; at < text.Length && !stopped; at += cuts[piece++])
                said += finder.Append(text[at..Math.Min(text.Length, at + cuts[piece])], out stopped);
            if (!stopped) said += finder.Flush();
            Assert.Equal(found, stopped);
            Assert.Equal(expected, said);
        }, iter: 20_000);
    }

    private static (string Text, bool Found) Definition(List<string> stops, string text)
    {
        for (var end = 1; end <= text.Length; end++)
        {
            var complete = stops.Where(s => text[..end].EndsWith(s, StringComparison.Ordinal)).ToList();
            if (complete.Count > 0) return (text[..(end - complete.Max(s => s.Length))], true);
        }
        return (text, false);
    }

    [Fact]
    public void No_more_is_held_back_than_may_be_the_beginning_of_a_stop()
    {
        var finder = new StopStrings(["\n\nUser:", "###"]);
        Assert.Equal("Hello", finder.Append("Hello\n", out _));
        Assert.Equal("", finder.Append("\nUs", out _));
        Assert.Equal("\n\nUse ", finder.Append("e #", out _)[..6]);
        Assert.Equal("", finder.Append("#", out var stopped));
        Assert.False(stopped);
        Assert.Equal("", finder.Append("# and more", out stopped));
        Assert.True(stopped);
        Assert.Equal("", finder.Append("even more", out stopped));
        Assert.True(stopped);
        Assert.Equal("", finder.Flush());
    }

    [Fact]
    public void Without_stops_text_passes_as_it_is()
    {
        var text = "some text";
        Assert.Same(text, new StopStrings([]).Append(text, out var stopped));
        Assert.False(stopped);
    }

    [Fact]
    public void Empty_overlong_and_too_many_stops_are_named()
    {
        Assert.Equal(
            ["stop[1] is empty; leave it out, or give the text to stop at.", "stop[2] has 1025 characters; at most 1024 are taken."],
            StopStrings.Problems(["a", "", new string('x', 1025)]));
        Assert.Single(StopStrings.Problems([.. Enumerable.Repeat("a", 17)]));
        Assert.Throws<ArgumentException>(() => new StopStrings([""]));
    }
}
