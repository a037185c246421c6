using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>The folder of a gateway that runs alone, which only its owner may look into and one process uses at a time.</summary>
internal sealed class AloneFiles : IDisposable
{
    private const UnixFileMode OwnersFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly string _folder;
    private readonly FileStream _held;

    /// <exception cref="IOException">Another process uses the folder.</exception>
    public AloneFiles(string folder, DateTimeOffset now)
    {
        _folder = Path.GetFullPath(folder);
        Directory.CreateDirectory(_folder, OwnersFile | UnixFileMode.UserExecute);
        try
        {
            _held = Open("lock", FileMode.OpenOrCreate);
        }
        catch (IOException taken)
        {
            throw new IOException($"Another gateway uses the folder {_folder}; give each its own with --data.", taken);
        }
        Id = OpenId(now);
    }

    /// <summary>Names this gateway for good.</summary>
    public Guid Id { get; }

    public string JournalPath => Path.Combine(_folder, "usage.journal");

    private string SnapshotPath => Path.Combine(_folder, "snapshot.json");

    public static FileStream Owned(string path, FileMode mode, FileShare share = FileShare.Read) => new(path, new FileStreamOptions
    {
        Mode = mode, Access = FileAccess.ReadWrite, Share = share, UnixCreateMode = OwnersFile,
    });

    /// <summary>The last snapshot; null where there is none that can be read.</summary>
    public SnapshotFile? LoadSnapshot()
    {
        try
        {
            using var file = File.OpenRead(SnapshotPath);
            return JsonSerializer.Deserialize<SnapshotFile>(file, ApiJson.Compact);
        }
        catch (Exception none) when (none is FileNotFoundException or JsonException)
        {
            return null;
        }
    }

    public void SaveSnapshot(SnapshotFile snapshot) => Replace(SnapshotPath, JsonSerializer.SerializeToUtf8Bytes(snapshot, ApiJson.Compact));

    /// <summary>Nothing that the server told is left here.</summary>
    public void ForgetSnapshot() => File.Delete(SnapshotPath);

    public void Dispose() => _held.Dispose();

    private static void Replace(string path, byte[] bytes)
    {
        var beside = path + ".new";
        using (var file = Owned(beside, FileMode.Create))
        {
            file.Write(bytes);
            file.Flush(flushToDisk: true);
        }
        File.Move(beside, path, overwrite: true);
    }

    private Guid OpenId(DateTimeOffset now)
    {
        var path = Path.Combine(_folder, "id");
        if (File.Exists(path) && Guid.TryParse(File.ReadAllText(path), out var known))
            return known;
        var id = Guid.CreateVersion7(now);
        Replace(path, System.Text.Encoding.ASCII.GetBytes(id.ToString()));
        return id;
    }

    private FileStream Open(string name, FileMode mode) => Owned(Path.Combine(_folder, name), mode, FileShare.None);
}
