using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using NpgsqlTypes;
using SQLitePCL;

namespace Cairn.State.Engines;

/// <summary>One file with a write-ahead log, owned by one server.</summary>
internal sealed class SqliteEngine : Engine
{
    private readonly StoreOptions _options;
    private readonly string _path;
    private readonly FileStream _lock;

    /// <summary>Takes the file for this process. Raises <see cref="StoreFault.Closed"/> where another server has it.</summary>
    public SqliteEngine(StoreOptions options)
    {
        _options = options;
        _path = Path.GetFullPath(options.Database);
        if (Directory.Exists(_path))
            throw new StoreException(StoreFault.Unavailable, $"The database {_path} is a folder; give the path of a file in it.");
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            // The lock is on a file beside the data: SQLite's own locks are the process's, and go when any handle on the data file closes.
            _lock = OpenOrCreate(_path + ".lock", FileShare.None);
            // SQLite gives its other files the rights of this one.
            OpenOrCreate(_path, FileShare.ReadWrite).Dispose();
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StoreException(StoreFault.Unavailable, $"The database {_path} cannot be opened: {error.Message}", error);
        }
        catch (IOException error)
        {
            throw new StoreException(StoreFault.Closed,
                $"The database {_path} is open in another server ({_path}.lock is held). Stop it, or share a PostgreSQL database.", error);
        }
    }

    /// <summary>New files are the owner's alone: rows hold the hashes of keys.</summary>
    private static FileStream OpenOrCreate(string path, FileShare share)
    {
        var options = new FileStreamOptions { Mode = FileMode.OpenOrCreate, Access = FileAccess.ReadWrite, Share = share };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return new FileStream(path, options);
    }

    public override string SystemName => "sqlite";

    public override int Writers => 1;

    public override int LargestBatch => int.MaxValue;

    public override string BeginWrite => "BEGIN IMMEDIATE";

    public override string BeginRead => "BEGIN";

    public override DbConnection Connect(bool forWriting)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = _path,
            Mode = SqliteOpenMode.ReadWriteCreate,
            Pooling = false,
            ForeignKeys = true,
            DefaultTimeout = (int)_options.StatementTimeout.TotalSeconds,
        }.ToString());
        try
        {
            connection.Open();
            using var command = connection.CreateCommand();
            var busy = ((int)_options.StatementTimeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
            command.CommandText = $"PRAGMA busy_timeout={busy}; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA temp_store=MEMORY;"
                + (forWriting ? "PRAGMA cache_size=-65536; PRAGMA wal_autocheckpoint=4000;" : "PRAGMA query_only=ON;");
            command.ExecuteNonQuery();
            return connection;
        }
        catch (DbException error)
        {
            connection.Dispose();
            throw Translate(error, null);
        }
    }

    public override DbParameter Parameter(string name, NpgsqlDbType type) => new SqliteParameter
    {
        ParameterName = "@" + name,
        SqliteType = type switch
        {
            NpgsqlDbType.Text => SqliteType.Text,
            NpgsqlDbType.Double => SqliteType.Real,
            _ => SqliteType.Integer,
        },
    };

    public override StoreException Translate(DbException error, string? sql)
    {
        var code = (error as SqliteException)?.SqliteErrorCode ?? raw.SQLITE_ERROR;
        var fault = code switch
        {
            raw.SQLITE_FULL => StoreFault.Full,
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED or raw.SQLITE_INTERRUPT => StoreFault.Busy,
            raw.SQLITE_CONSTRAINT => StoreFault.Constraint,
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => StoreFault.Corrupt,
            raw.SQLITE_IOERR or raw.SQLITE_CANTOPEN or raw.SQLITE_READONLY or raw.SQLITE_NOMEM or raw.SQLITE_PERM => StoreFault.Unavailable,
            _ => StoreFault.Statement,
        };
        var what = fault switch
        {
            StoreFault.Full => $"The database {_path} is full: free space on its disk.",
            StoreFault.Corrupt => $"The database {_path} is damaged or is no SQLite file.",
            StoreFault.Unavailable => $"The database {_path} cannot be used.",
            _ => $"The database {_path} refused.",
        };
        return new StoreException(fault, $"{what} {error.Message}{(sql is null ? "" : $" In: {sql}")}", error);
    }

    public override bool IsInTransaction(DbConnection connection) =>
        raw.sqlite3_get_autocommit(((SqliteConnection)connection).Handle!) == 0;

    public override void PrepareForMigration(Link link)
    {
        // The lock file already keeps other servers out.
    }

    public override void RunAgain(Link link, int time, Action batch) => batch();

    public override void Announce(Link link, IReadOnlyCollection<RaisedSignal> signals)
    {
        // There is no other server to tell.
    }

    public override void Listen(Signals signals, TimeProvider time)
    {
        // There is no other server to hear.
    }

    public override void Dispose() => _lock.Dispose();
}
