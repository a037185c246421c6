using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;
using Cairn.State.Rows;

namespace Cairn.State.Tests;

public abstract class Store_reads(Func<Database> database) : StoreContract(database)
{
    private static readonly DateTimeOffset s_time = new(2026, 8, 1, 12, 30, 15, 123, 456, TimeSpan.Zero);

    private static readonly Migration s_all = new("test", 3,
        """
        CREATE TABLE everything (
            job_id TEXT PRIMARY KEY, phase TEXT NOT NULL, last_phase TEXT, cost BIGINT NOT NULL, budget BIGINT, price BIGINT NOT NULL,
            created_at BIGINT NOT NULL, ended_at BIGINT, is_held BOOLEAN NOT NULL, share DOUBLE PRECISION NOT NULL, nodes BIGINT NOT NULL,
            label TEXT, tags TEXT NOT NULL)
        """);

    private const string Insert =
        """
        INSERT INTO everything (job_id, phase, last_phase, cost, budget, price, created_at, ended_at, is_held, share, nodes, label, tags)
        VALUES (@job_id, @phase, @last_phase, @cost, @budget, @price, @created_at, @ended_at, @is_held, @share, @nodes, @label, @tags)
        """;

    [Fact]
    public async Task Every_kind_of_value_comes_back_as_it_was()
    {
        await using var store = await Database.OpenAsync(migrations: [.. Database.Schema, s_all]);
        Everything[] rows =
        [
            new(JobId.New(s_time), JobPhase.Running, null, Money.FromUsd(-1.5m), null, HourlyPrice.FromUsd(2.99m), s_time, null, true, 0.1,
                3, null, Tags("a", "it's")),
            new(JobId.New(s_time), Enum.GetValues<JobPhase>()[^1], JobPhase.Running, new Money(long.MaxValue), new Money(1),
                HourlyPrice.Free, s_time, s_time.AddMicroseconds(1),
                false, -1e300, int.MaxValue, "ünï\n", Tags()),
        ];
        await store.WriteAsync(s => s.ExecuteMany(Insert, rows), Ct);
        var read = await store.ReadAsync(s => s.Query<Everything>("SELECT * FROM everything ORDER BY nodes"), Ct);
        Assert.Equal(rows.Select(r => r with { Tags = Tags() }), read.Select(r => r with { Tags = Tags() }));
        Assert.Equal(["a", "it's"], read[0].Tags.Value);
        Assert.Equal(rows[0].JobId, await store.ReadAsync(s => s.Scalar<JobId>("SELECT job_id FROM everything WHERE is_held"), Ct));
        var word = await store.ReadAsync(
            s => s.Scalar<string>("SELECT phase FROM everything WHERE phase = @phase", new { phase = JobPhase.Running }), Ct);
        Assert.Equal("running", word);
    }

    [Fact]
    public async Task A_class_is_filled_by_its_properties_and_extra_columns_are_passed_over()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a", 5);
        var thing = await store.ReadAsync(s => s.QuerySingleOrDefault<Sized>("SELECT * FROM things"), Ct);
        Assert.Equal(("a", 5L, 9), (thing!.Id, thing.Size, thing.Untouched));
        Assert.Null(await store.ReadAsync(s => s.QuerySingleOrDefault<Sized>("SELECT * FROM things WHERE id = 'none'"), Ct));
    }

    [Fact]
    public async Task What_does_not_fit_is_said_with_the_names_that_do_not_fit()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a", 5_000_000_000);
        Assert.Contains("'Colour'", await Refusal(s => s.Query<Coloured>("SELECT id FROM things")), StringComparison.Ordinal);
        Assert.Contains("@wrong", await Refusal(s => s.Query<string>("SELECT id FROM things WHERE id = @wrong", new { right = 1 })),
            StringComparison.Ordinal);
        Assert.Contains("no arguments", await Refusal(s => s.Query<string>("SELECT id FROM things WHERE id = @id")),
            StringComparison.Ordinal);
        Assert.Contains("does not fit Int32", await Refusal(s => s.Query<int>("SELECT size FROM things")), StringComparison.Ordinal);
        Assert.Contains("'n' is no JobPhase; expected one of", await Refusal(s => s.Query<JobPhase>("SELECT name FROM things")),
            StringComparison.Ordinal);

        async Task<string> Refusal(Func<ReadSession, object> read)
        {
            var error = await Assert.ThrowsAsync<StoreException>(() => store.ReadAsync(read, Ct));
            Assert.Equal(StoreFault.Statement, error.Fault);
            return error.Message;
        }
    }

    [Fact]
    public async Task More_than_one_row_is_no_single_row_and_none_is_no_value()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a");
        await AddThing(store, "b");
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            store.ReadAsync(s => s.QuerySingleOrDefault<string>("SELECT id FROM things"), Ct));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            store.ReadAsync(s => s.Scalar<string>("SELECT id FROM things WHERE id = 'c'"), Ct));
        Assert.Null(await store.ReadAsync(s => s.Scalar<long?>("SELECT max(size) FROM things WHERE id = 'c'"), Ct));
    }

    [Fact]
    public async Task JSON_is_read_into_by_name()
    {
        await using var store = await Database.OpenAsync();
        var json = """{"gpu":"H100","n":8}""";
        await store.WriteAsync(s => s.Execute("INSERT INTO things (id, name, size) VALUES ('j', @json, 0)", new { json }), Ct);
        var gpu = await store.ReadAsync(
            s => s.Scalar<string>("SELECT name ->> 'gpu' FROM things WHERE name ->> 'gpu' = @gpu", new { gpu = "H100" }), Ct);
        Assert.Equal("H100", gpu);
    }

    [Fact]
    public async Task A_list_of_values_matches_any_of_them()
    {
        await using var store = await Database.OpenAsync();
        for (var i = 0; i < 6; i++)
            await AddThing(store, $"{i}", i);
        foreach (var count in new[] { 0, 1, 2, 3, 5, 6 })
        {
            var ids = Enumerable.Range(0, count).Select(i => $"{i}").ToList();
            var found = await store.ReadAsync(
                s => s.Query<string>("SELECT id FROM things WHERE id IN @ids AND size >= @least ORDER BY id", new { ids, least = 0 }), Ct);
            Assert.Equal(ids, found);
        }
    }

    [Fact]
    public async Task A_reader_sees_one_state_while_writers_go_on()
    {
        await using var store = await Database.OpenAsync();
        await AddThing(store, "a");
        var (before, after) = await store.ReadAsync(s =>
        {
            var first = s.Scalar<long>("SELECT count(*) FROM things");
            Assert.True(AddThing(store, "b").Wait(TimeSpan.FromMinutes(2), Ct));
            return (first, s.Scalar<long>("SELECT count(*) FROM things"));
        }, Ct);
        Assert.Equal((1, 1), (before, after));
        Assert.Equal(2, await CountThings(store));
    }

    [Fact]
    public async Task A_reader_cannot_write()
    {
        await using var store = await Database.OpenAsync();
        await Assert.ThrowsAsync<StoreException>(() => store.ReadAsync(s => s.Query<string>("DELETE FROM things RETURNING id"), Ct));
        await AddThing(store, "a");
        await Assert.ThrowsAsync<StoreException>(() => store.ReadAsync(s => s.Query<string>("DELETE FROM things RETURNING id"), Ct));
        Assert.Equal(1, await CountThings(store));
    }

    private static JsonText<List<string>> Tags(params string[] tags) => new(tags.Length == 0 ? s_none : [.. tags]);

    private static readonly List<string> s_none = [];

    private sealed record Everything(
        JobId JobId, JobPhase Phase, JobPhase? LastPhase, Money Cost, Money? Budget, HourlyPrice Price, DateTimeOffset CreatedAt,
        DateTimeOffset? EndedAt, bool IsHeld, double Share, int Nodes, string? Label, JsonText<List<string>> Tags);

    private sealed class Sized
    {
        public required string Id { get; init; }

        public long Size { get; set; }

        public int Untouched { get; set; } = 9;
    }

    private sealed record Coloured(string Id, string Colour);
}

public sealed class Store_reads_on_SQLite() : Store_reads(() => new SqliteDatabase());

public sealed class Store_reads_on_PostgreSQL(PostgresServer server) : Store_reads(() => new PostgresDatabase(server));
