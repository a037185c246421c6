using Cairn.Contracts.Workloads;

namespace Cairn.Contracts.Tests.Workloads;

public sealed class HostNameTests
{
    [Theory]
    [InlineData("chat.example.com", "chat.example.com")]
    [InlineData("Chat.Example.COM.", "chat.example.com")]
    [InlineData("xn--bcher-kva.example", "xn--bcher-kva.example")]
    [InlineData("a-1.b2.localhost", "a-1.b2.localhost")]
    public void A_name_is_read(string text, string host)
    {
        Assert.True(HostName.TryParse(text, out var read));
        Assert.Equal(host, read);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("[::1]")]
    [InlineData("*.example.com")]
    [InlineData("example.com:443")]
    [InlineData("https://example.com")]
    [InlineData("example.com/")]
    [InlineData("-a.example.com")]
    [InlineData("a..example.com")]
    [InlineData("example.com..")]
    [InlineData("bücher.example")]
    [InlineData("a_b.example.com")]
    [InlineData("a.123")]
    public void Anything_else_is_not(string? text) => Assert.False(HostName.TryParse(text, out _));

    [Fact]
    public void Labels_and_names_are_bounded()
    {
        Assert.True(HostName.TryParse(new string('a', 63) + ".com", out _));
        Assert.False(HostName.TryParse(new string('a', 64) + ".com", out _));
        Assert.False(HostName.TryParse(string.Concat(Enumerable.Repeat("abcdefgh.", 30)) + "com", out _));
    }
}
