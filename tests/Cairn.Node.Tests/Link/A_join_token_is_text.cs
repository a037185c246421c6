using Cairn.Contracts.Wire;
using Cairn.Node.Link;
using CsCheck;

namespace Cairn.Node.Tests.Link;

public sealed class A_join_token_is_text
{
    private static readonly string s_hash = new('a', 64);

    [Theory]
    [InlineData("127.0.0.1:7071")]
    [InlineData("cairn.example:443")]
    [InlineData("[::1]:7071")]
    public void It_reads_as_it_was_written(string server)
    {
        var token = new JoinToken(server, s_hash, "id-1", "söcret/+=");
        Assert.True(JoinToken.TryDecode("  " + token.Encode() + "\n", out var read));
        Assert.Equal(token, read);
        Assert.DoesNotContain("söcret", token.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("cairn1.")]
    [InlineData("cairn1.####")]
    [InlineData("cairn1.e30")]
    [InlineData("cairn2.eyJzIjoiYToxIn0")]
    public void What_is_no_token_is_refused(string? text) => Assert.False(JoinToken.TryDecode(text, out _));

    [Theory]
    [InlineData("nohost", "a")]
    [InlineData(":7071", "a")]
    [InlineData("host:0", "a")]
    [InlineData("host:70000", "a")]
    [InlineData("host:7071", "A")]
    public void A_token_with_a_wrong_part_is_refused(string server, string letter) =>
        Assert.False(JoinToken.TryDecode(new JoinToken(server, new string(letter[0], 64), "i", "k").Encode(), out _));

    [Fact]
    public void Any_text_is_read_or_refused_and_never_thrown_at()
    {
        Gen.String.Sample(text => { JoinToken.TryDecode("cairn1." + text, out _); });
    }

    [Fact]
    public void Waiting_grows_is_bounded_and_never_the_same_for_all()
    {
        Gen.Select(Gen.Int[0, 10_000], Gen.Double[0, 1]).Sample((failures, random) =>
        {
            var delay = Backoff.Delay(failures, random);
            Assert.InRange(delay, TimeSpan.Zero, Backoff.Most);
            Assert.True(failures == 0 ? delay <= Backoff.First : delay >= Backoff.Least);
        });
        Assert.NotEqual(Backoff.Delay(5, 0.1), Backoff.Delay(5, 0.9));
        Assert.Equal(Backoff.Most, Backoff.Delay(20, 1));
    }
}
