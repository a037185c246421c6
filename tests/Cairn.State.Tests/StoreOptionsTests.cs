namespace Cairn.State.Tests;

public sealed class StoreOptionsTests
{
    [Theory]
    [InlineData("postgres://ann:p%40ss@db.example:6543/cairn", "db.example", 6543, "cairn", "ann", "p@ss")]
    [InlineData("postgresql://db.example", "db.example", 5432, null, null, null)]
    [InlineData("Host=db.example;Port=6543;Username=ann;Password=p@ss;Database=cairn", "db.example", 6543, "cairn", "ann", "p@ss")]
    public void Both_forms_of_an_address_mean_the_same(string text, string host, int port, string? database, string? user, string? password)
    {
        Assert.True(PostgresAddress.Recognises(text));
        var address = PostgresAddress.Parse(text);
        Assert.Equal((host, port, database, user, password),
            (address.Host, address.Port, address.Database, address.Username, address.Password));
    }

    [Fact]
    public void Options_of_an_address_are_taken_and_unknown_ones_named()
    {
        Assert.Equal(Npgsql.SslMode.Require, PostgresAddress.Parse("postgres://db/x?sslmode=require").SslMode);
        var error = Assert.Throws<ArgumentException>(() => PostgresAddress.Parse("postgres://u:secret@db/x?colour=red"));
        Assert.Contains("'colour'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_malformed_address_is_refused_without_repeating_its_password()
    {
        var error = Assert.Throws<ArgumentException>(() => PostgresAddress.Parse("postgres://ann:secret@:x:y/z"));
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/var/lib/cairn/rows.db")]
    [InlineData("rows.db")]
    public void A_path_is_a_file(string path) => Assert.False(PostgresAddress.Recognises(path));

    [Fact]
    public void All_that_is_wrong_is_said_at_once()
    {
        var options = new StoreOptions { Database = " ", BatchSize = 0, QueueBound = -1, Readers = 1000, StatementTimeout = TimeSpan.Zero };
        Assert.Equal(5, options.Validate().Count);
        Assert.Empty(new StoreOptions { Database = "rows.db" }.Validate());
    }
}
