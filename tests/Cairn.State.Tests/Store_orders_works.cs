using CsCheck;

namespace Cairn.State.Tests;

/// <summary>Whatever fails and whatever overlaps, the rows are what the works that succeeded make one after another.</summary>
public abstract class Store_orders_works(Func<Database> database) : StoreContract(database)
{
    private const int Cells = 4;

    /// <summary>A work: cells it changes, each depending on another's value, and where it fails, if it does.</summary>
    private static readonly Gen<Step[]> s_steps =
        Gen.Select(Gen.Int[0, Cells - 1], Gen.Int[0, Cells - 1], Gen.Int[1, 9], (to, from, by) => new Step(to, from, by)).Array[1, 4];

    private static readonly Gen<(Step[] Steps, Failure Failure)> s_work = Gen.Select(s_steps, Gen.Frequency(
        (5, Gen.Const(Failure.None)), (1, Gen.Const(Failure.Thrown)), (1, Gen.Const(Failure.Statement)), (1, Gen.Const(Failure.Rule))));

    [Fact]
    public async Task Random_interleavings_of_good_and_failing_works_equal_a_model()
    {
        await using var store = await Database.OpenAsync();
        s_work.Array[1, 60].Sample(works => Matches(store, works).GetAwaiter().GetResult(), iter: 40, threads: 1);
    }

    private static async Task<bool> Matches(Store store, (Step[] Steps, Failure Failure)[] works)
    {
        await store.WriteAsync(s =>
        {
            s.Execute("DELETE FROM counters");
            for (var cell = 0; cell < Cells; cell++)
                s.Execute("INSERT INTO counters (name, value) VALUES (@name, 1)", new { name = $"{cell}" });
            s.Execute("INSERT INTO counters (name, value) VALUES ('order', 0)");
        }, Ct);

        var running = works.Select(work => Task.Run(() => store.WriteAsync(s => Do(s, work.Steps, work.Failure), Ct), Ct)).ToList();
        var kept = new List<(long Order, Step[] Steps)>();
        for (var i = 0; i < works.Length; i++)
        {
            var error = await Record.ExceptionAsync(() => running[i]);
            if (error is null != (works[i].Failure == Failure.None))
                return false;
            if (error is null)
                kept.Add((await running[i], works[i].Steps));
        }

        var model = Enumerable.Repeat(1L, Cells).ToArray();
        foreach (var step in kept.OrderBy(k => k.Order).SelectMany(k => k.Steps))
            model[step.To] = Next(model[step.To], model[step.From], step.By);
        var actual = await store.ReadAsync(s => s.Query<long>("SELECT value FROM counters WHERE name <> 'order' ORDER BY name"), Ct);
        return actual.SequenceEqual(model)
            && kept.Select(k => k.Order).Order().SequenceEqual(Enumerable.Range(1, kept.Count).Select(i => (long)i));
    }

    private static long Do(WriteSession session, Step[] steps, Failure failure)
    {
        var order = session.Scalar<long>("UPDATE counters SET value = value + 1 WHERE name = 'order' RETURNING value");
        foreach (var step in steps)
        {
            // Read and written apart, so that two works that overlapped would lose an update.
            var to = session.Scalar<long>("SELECT value FROM counters WHERE name = @name", new { name = $"{step.To}" });
            var from = session.Scalar<long>("SELECT value FROM counters WHERE name = @name", new { name = $"{step.From}" });
            session.Execute("UPDATE counters SET value = @value WHERE name = @name",
                new { name = $"{step.To}", value = Next(to, from, step.By) });
        }
        switch (failure)
        {
            case Failure.Thrown:
                throw new InvalidOperationException("thrown");
            case Failure.Statement:
                session.Execute("UPDATE nowhere SET x = 1");
                break;
            case Failure.Rule:
                session.Execute("UPDATE counters SET value = -1 WHERE name = '0'");
                break;
        }
        return order;
    }

    private static long Next(long to, long from, int by) => ((to * 3) + from + by) % 1_000_003;

    private enum Failure
    {
        None,
        Thrown,
        Statement,
        Rule,
    }

    private sealed record Step(int To, int From, int By);
}

public sealed class Store_orders_works_on_SQLite() : Store_orders_works(() => new SqliteDatabase());

[Trait("speed", "slow")]
public sealed class Store_orders_works_on_PostgreSQL(PostgresServer server) : Store_orders_works(() => new PostgresDatabase(server));
