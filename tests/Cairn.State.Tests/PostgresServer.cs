using System.Diagnostics;
using Npgsql;

namespace Cairn.State.Tests;

/// <summary>
/// A real PostgreSQL server in a temporary folder, as a user that is not root (it refuses root). It starts when a test first asks for a
/// database, and all tests share it.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-pg-").FullName;
    private readonly int _port = FreePorts.Next();
    private readonly Lock _starting = new();
    private bool _started;
    private int _databases;

    public static string? Binaries { get; } = Directory.Exists("/usr/lib/postgresql")
        ? Directory.EnumerateDirectories("/usr/lib/postgresql").Order().Select(d => Path.Combine(d, "bin"))
            .LastOrDefault(d => File.Exists(Path.Combine(d, "postgres")))
        : null;

    private string Data => Path.Combine(_folder, "data");

    public ValueTask DisposeAsync()
    {
        if (_started)
            RunAsPostgres("pg_ctl", "-D", Data, "-m", "immediate", "-w", "-t", "240", "stop");
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    /// <summary>The address of a new, empty database; skips the test where PostgreSQL is not installed.</summary>
    public string NewDatabase()
    {
        Assert.SkipWhen(Binaries is null,
            "PostgreSQL is not installed (no /usr/lib/postgresql/*/bin/postgres); run eng/install-engines.sh.");
        lock (_starting)
        {
            if (!_started)
                Start();
            _started = true;
        }
        var name = $"test{Interlocked.Increment(ref _databases)}";
        using var connection = new NpgsqlConnection($"Host=127.0.0.1;Port={_port};Username=cairn;Database=postgres;Pooling=false;Timeout=240;Command Timeout=240");
        connection.Open();
        using var command = new NpgsqlCommand($"CREATE DATABASE {name}", connection);
        command.ExecuteNonQuery();
        return $"postgres://cairn@127.0.0.1:{_port}/{name}";
    }

    /// <summary>Kills the server as a crash would, with nothing flushed, and starts it on what its disk has.</summary>
    public void CrashAndRestart() =>
        RunAsPostgres("pg_ctl", "-D", Data, "-m", "immediate", "-w", "-t", "240", "-l", Path.Combine(_folder, "log"), "restart");

    private void Start()
    {
        if (Environment.IsPrivilegedProcess)
            Run("chown", "postgres", _folder);
        RunAsPostgres("initdb", "-D", Data, "-U", "cairn", "-A", "trust", "--no-locale", "-E", "UTF8", "--no-sync");
        File.AppendAllText(Path.Combine(Data, "postgresql.conf"),
            $"\nlisten_addresses = '127.0.0.1'\nport = {_port}\nunix_socket_directories = '{_folder}'\nmax_connections = 200\n");
        RunAsPostgres("pg_ctl", "-D", Data, "-w", "-t", "240", "-l", Path.Combine(_folder, "log"), "start");
    }

    private static void RunAsPostgres(string program, params string[] arguments)
    {
        var path = Path.Combine(Binaries!, program);
        if (Environment.IsPrivilegedProcess)
            Run("setpriv", ["--reuid", "postgres", "--regid", "postgres", "--clear-groups", path, .. arguments]);
        else
            Run(path, arguments);
    }

    private static void Run(string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath(),
        };
        using var process = Process.Start(start)!;
        // The server that pg_ctl leaves behind keeps the pipes open, so they are not read to their end.
        process.OutputDataReceived += (_, _) => { };
        var errors = new System.Text.StringBuilder();
        process.ErrorDataReceived += (_, line) => errors.AppendLine(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!process.WaitForExit(TimeSpan.FromMinutes(5)) || process.ExitCode != 0)
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {errors}");
    }
}
