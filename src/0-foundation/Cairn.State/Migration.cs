using System.Security.Cryptography;
using System.Text;
using Cairn.State.Engines;

namespace Cairn.State;

/// <summary>One step of the schema: applied once, in its own transaction, and never changed after.</summary>
/// <param name="Area">Whose tables these are: <c>fleet</c>, <c>market</c>.</param>
/// <param name="Number">1, 2, 3 … within the area.</param>
/// <param name="Sql">One or more statements in the common dialect; see <see cref="Store"/>.</param>
public sealed record Migration(string Area, int Number, string Sql)
{
    internal string Hash => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));
}

/// <summary>Brings a database to the schema that this program knows.</summary>
internal static class Migrator
{
    private static readonly Migration s_leases = new("state", 1,
        "CREATE TABLE leases (name TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL, expires_at BIGINT NOT NULL)");

    public static void Migrate(Link link, IReadOnlyList<Migration> migrations, TimeProvider time)
    {
        Migration[] all = [s_leases, .. migrations];
        CheckNumbers(all);
        link.Engine.PrepareForMigration(link);
        link.Script(
            """
            CREATE TABLE IF NOT EXISTS migrations (
                area TEXT NOT NULL, number BIGINT NOT NULL, hash TEXT NOT NULL, applied_at BIGINT NOT NULL, PRIMARY KEY (area, number))
            """);
        var applied = link.Prepare("SELECT area, number, hash FROM migrations", null)
            .Query<(string Area, int Number, string Hash)>(null).ToDictionary(row => (row.Area, row.Number), row => row.Hash);
        CheckApplied(applied, all);
        foreach (var migration in all.Where(m => !applied.ContainsKey((m.Area, m.Number))))
            Apply(link, migration, time);
    }

    private static void CheckNumbers(Migration[] all)
    {
        foreach (var area in all.GroupBy(m => m.Area))
        {
            var numbers = area.Select(m => m.Number).ToList();
            if (numbers.SequenceEqual(Enumerable.Range(1, numbers.Count)))
                continue;
            throw new ArgumentException($"The migrations of '{area.Key}' are numbered {string.Join(", ", numbers)}; expected 1, 2, 3 …");
        }
    }

    private static void CheckApplied(Dictionary<(string Area, int Number), string> applied, Migration[] all)
    {
        foreach (var migration in all)
        {
            if (applied.TryGetValue((migration.Area, migration.Number), out var hash) && hash != migration.Hash)
            {
                throw new StoreException(StoreFault.Statement,
                    $"Migration {migration.Number} of '{migration.Area}' is not the one that was applied to this database. "
                    + "Restore it, and add a new one for the change.");
            }
        }
        var areas = all.GroupBy(m => m.Area).ToDictionary(g => g.Key, g => g.Count());
        foreach (var (area, number) in applied.Keys)
        {
            if (areas.TryGetValue(area, out var known) && number > known)
            {
                throw new StoreException(StoreFault.Statement,
                    $"The database has migration {number} of '{area}', but this program knows only {known}: "
                    + "a newer Cairn wrote it. Run that version.");
            }
        }
    }

    private static void Apply(Link link, Migration migration, TimeProvider time)
    {
        link.Control(link.Engine.BeginWrite);
        try
        {
            link.Script(migration.Sql);
            var row = new { migration.Area, migration.Number, migration.Hash, AppliedAt = Micros.Of(time.GetUtcNow()) };
            link.Prepare("INSERT INTO migrations (area, number, hash, applied_at) VALUES (@area, @number, @hash, @applied_at)", row)
                .Execute(row);
            link.Control("COMMIT");
        }
        catch (StoreException error)
        {
            link.TryRollback();
            throw new StoreException(error.Fault, $"Migration {migration.Number} of '{migration.Area}' failed. {error.Message}", error);
        }
    }
}
