using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Cairn.Node.Durable;

namespace Cairn.Node;

/// <summary>The daemon's own folder: who the node is, that only one daemon uses it, and where tasks lie.</summary>
internal sealed class NodeFolder : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode OthersEnter = OwnerOnly | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly FileStream _lock;

    private NodeFolder(string root, FileStream held) => (Root, _lock) = (root, held);

    public string Root { get; }

    public string KeyFile => Path.Combine(Root, "node.key");

    public string EnrolmentFile => EnrolmentFileOf(Root);

    public static string EnrolmentFileOf(string root) => Path.Combine(root, "enrolment.json");

    public string DeclarationFile => Path.Combine(Root, "declaration.pb");

    public string LeaseFile => Path.Combine(Root, "leases");

    public string BenchmarkFile => Path.Combine(Root, "benchmark.pb");

    public string DoneFile => Path.Combine(Root, "done");

    public string Tasks => Path.Combine(Root, "tasks");

    /// <summary>Eight letters that tell this folder from others on the machine.</summary>
    public string Tag => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Root)))[..8];

    /// <summary>Takes the folder for this daemon.</summary>
    /// <exception cref="NodeRefusedException">Another daemon has it.</exception>
    public static NodeFolder Open(string path)
    {
        var root = Path.GetFullPath(path);
        // Others may pass through to the work folder; every file of the daemon itself is closed to them.
        Directory.CreateDirectory(root, OthersEnter);
        FileStream held;
        try
        {
            // .NET takes an advisory lock that the kernel drops when the process ends, however it ends.
            held = new FileStream(Path.Combine(root, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new NodeRefusedException("locked", $"another node daemon uses the data folder {root}: stop it, or name another folder");
        }
        var folder = new NodeFolder(root, held);
        Directory.CreateDirectory(folder.Tasks, OwnerOnly);
        return folder;
    }

    /// <summary>Grows with each start of the daemon.</summary>
    public long NextBootEpoch()
    {
        var file = Path.Combine(Root, "epoch");
        var last = File.Exists(file) && long.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var read) ? read : 0;
        AtomicFile.Write(file, (last + 1).ToString(CultureInfo.InvariantCulture), durable: true);
        return last + 1;
    }

    /// <summary>
    /// The folder in which tasks work. Their users must be able to pass every folder above it, which under a home of mode 0700 they are
    /// not; then it is a folder of its own under /var/lib/cairn.
    /// </summary>
    public string MakeWorkFolder(string? wished, bool othersNeedIt)
    {
        var inside = Path.Combine(Root, "work");
        var folder = wished is not null ? Path.GetFullPath(wished)
            : !othersNeedIt || OthersPass(Root) ? inside
            : $"/var/lib/cairn/{Tag}";
        Directory.CreateDirectory(folder);
        foreach (var name in (string[])["tasks", "checkpoints"])
            Directory.CreateDirectory(Path.Combine(folder, name), OthersEnter);
        Directory.CreateDirectory(Path.Combine(folder, "cache"), OwnerOnly);
        return folder;
    }

    public void Dispose() => _lock.Dispose();

    private static bool OthersPass(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (!at.UnixFileMode.HasFlag(UnixFileMode.OtherExecute))
                return false;
        }
        return true;
    }
}
