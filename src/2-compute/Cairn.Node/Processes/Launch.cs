using System.Diagnostics;
using System.Text;
using Cairn.Node.Durable;
using Cairn.Node.Native;

namespace Cairn.Node.Processes;

/// <summary>What a supervisor is started with.</summary>
internal sealed record LaunchOrder
{
    /// <summary>The task's control folder, which only the daemon's user can read.</summary>
    public required string ControlFolder { get; init; }

    public required string WorkingFolder { get; init; }

    /// <summary>Null where there is no setup.</summary>
    public required string? SetupScript { get; init; }

    public required string RunScript { get; init; }

    /// <summary>Whether a word through the FIFO is awaited between the two.</summary>
    public required bool Barrier { get; init; }

    public required TaskUser User { get; init; }

    public required IReadOnlyList<string> Cgroups { get; init; }

    /// <summary>All of the task's environment, secrets included. It reaches the process at its start and is not written anywhere.</summary>
    public required IReadOnlyDictionary<string, string> Environment { get; init; }
}

/// <summary>
/// Starts the small shell that runs one task and outlives the daemon. A shell costs 1 MB and 1 ms; a second .NET process 60 MB and 60 ms.
/// </summary>
internal static class Launch
{
    private const string SignalReset = "env --default-signal=INT,QUIT,PIPE";

    private static readonly Lazy<byte[]> s_script = new(ReadScript);
    private static readonly Lazy<bool> s_canResetSignals = new(CanResetSignals);

    /// <summary>Starts the supervisor in a session of its own, so that no terminal and no signal of the daemon reaches it.</summary>
    public static Process Start(LaunchOrder order)
    {
        var script = Path.Combine(order.ControlFolder, "supervise.sh");
        AtomicFile.Write(script, s_script.Value);
        AtomicFile.Write(Path.Combine(order.ControlFolder, "launch"), Assignments(order));
        foreach (var name in (string[])["go", "stdout", "stderr"])
            MakeFifo(Path.Combine(order.ControlFolder, name), name == "go" ? TaskUser.Self : order.User);
        var start = new ProcessStartInfo(Programs.Find("setsid") ?? "setsid")
        {
            ArgumentList = { "/bin/sh", script, order.ControlFolder },
            WorkingDirectory = "/",
        };
        start.Environment.Clear();
        foreach (var (name, value) in order.Environment)
            start.Environment[name] = value;
        return Process.Start(start) ?? throw new UnreachableException("a new process was asked for");
    }

    /// <summary>Lets a supervisor at the barrier go on, with these further variables. Repeating it does nothing.</summary>
    public static void Begin(string controlFolder, IReadOnlyDictionary<string, string> environment)
    {
        var begin = new StringBuilder();
        foreach (var (name, value) in environment)
            begin.Append("export ").Append(name).Append('=').Append(Quote(value)).Append('\n');
        AtomicFile.Write(Path.Combine(controlFolder, "begin"), begin.ToString());
        SayGo(controlFolder);
    }

    /// <summary>Says the word that a supervisor at the barrier waits for. Saying it again does nothing.</summary>
    public static void SayGo(string controlFolder)
    {
        var go = Posix.Open(Path.Combine(controlFolder, "go"), Posix.OpenReadWrite | Posix.OpenNonBlocking | Posix.OpenCloseOnExec);
        if (go < 0)
            return;
        _ = Posix.Write(go, "go\n"u8, 3);
        _ = Posix.Close(go);
    }

    /// <summary>A word of the shell that stands for exactly this text.</summary>
    public static string Quote(string text) => "'" + text.Replace("'", "'\\''", StringComparison.Ordinal) + "'";

    private static string Assignments(LaunchOrder order)
    {
        var text = new StringBuilder();
        void Set(string name, string value) => text.Append(name).Append('=').Append(Quote(value)).Append('\n');
        Set("workdir", order.WorkingFolder);
        Set("shell", Programs.Shell);
        Set("mask", "022");
        Set("prefix", string.Join(' ', Prefix(order.User)));
        Set("groups", string.Join(' ', order.Cgroups));
        Set("setup", order.SetupScript is null ? "no" : "yes");
        Set("barrier", order.Barrier ? "yes" : "no");
        Set("setup_script", order.SetupScript ?? "");
        Set("run_script", order.RunScript);
        return text.ToString();
    }

    /// <summary>
    /// What the script is started through: a shell without job control lets background children ignore SIGINT and SIGQUIT, which is undone
    /// where `env` can, like the daemon's own ignoring of SIGPIPE; and the change of user, after which no program can win rights back.
    /// </summary>
    private static IEnumerable<string> Prefix(TaskUser user)
    {
        if (s_canResetSignals.Value)
            yield return SignalReset;
        if (user is { Id: { } id, Group: { } group })
            yield return $"setpriv --reuid={id} --regid={group} --clear-groups --no-new-privs";
    }

    /// <summary>A task may open its standard output anew by its path, so the FIFO is its user's.</summary>
    private static void MakeFifo(string path, TaskUser user)
    {
        File.Delete(path);
        if (Posix.MakeFifo(path, 0x180) != 0)
            throw new IOException($"the FIFO {path} cannot be made: the file system of the data folder must know FIFOs");
        if (user is { Id: { } id, Group: { } group })
            _ = Posix.ChangeOwner(path, id, group);
    }

    private static bool CanResetSignals()
    {
        if (Programs.Find("env") is not { } env)
            return false;
        var start = new ProcessStartInfo(env) { ArgumentList = { SignalReset["env ".Length..], "true" }, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static byte[] ReadScript()
    {
        using var stream = typeof(Launch).Assembly.GetManifestResourceStream("supervise.sh")!;
        using var copy = new MemoryStream();
        stream.CopyTo(copy);
        return copy.ToArray();
    }
}
