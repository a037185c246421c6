using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;

namespace Cairn.Contracts.Tests;

public sealed class Keys_are_read
{
    private static readonly ApiKey s_key = ApiKey.New(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public void The_text_of_a_key_is_that_key_whether_its_secret_is_copied_or_only_hashed()
    {
        Assert.True(ApiKey.TryParse(s_key.ToString(), out var parsed));
        Assert.Equal(s_key, parsed);
        var hash = new byte[32];
        Assert.True(ApiKey.TryHash(s_key.ToString(), hash, out var id));
        Assert.Equal((s_key.Id, Convert.ToHexString(s_key.SecretHash())), (id, Convert.ToHexString(hash)));
    }

    [Fact]
    public void The_longest_secret_of_any_characters_has_room()
    {
        var key = new ApiKey(s_key.Id, new string('€', 92));
        Assert.Equal(128, key.ToString().Length);
        var hash = new byte[32];
        Assert.True(ApiKey.TryHash(key.ToString(), hash, out _));
        Assert.Equal(key.SecretHash(), hash);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("ck_")]
    [InlineData("xk_0123456789abcdef0123456789abcdef_secret")]
    [InlineData("ck_0123456789abcdef0123456789abcdefsecretsecret")]
    [InlineData("ck_0123456789abcdef0123456789abcdeX_secretsecret")]
    [InlineData("ck_0123456789abcdef_secretsecretsecretsecretsecret")]
    public void What_is_no_key_is_refused(string? text)
    {
        Assert.False(ApiKey.TryParse(text, out _));
        Assert.False(ApiKey.TryHash(text, new byte[32], out var id));
        Assert.Equal(default(KeyId), id);
    }

    [Fact]
    public void So_is_one_that_is_too_long()
    {
        var text = new ApiKey(s_key.Id, new string('s', 93)).ToString();
        Assert.False(ApiKey.TryParse(text, out _));
        Assert.False(ApiKey.TryHash(text, new byte[32], out _));
    }
}
