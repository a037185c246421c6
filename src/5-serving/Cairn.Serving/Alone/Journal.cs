using System.Text.Json;
using Cairn.Contracts.Api;

namespace Cairn.Serving.Alone;

/// <summary>
/// A backlog that survives its process: entries are appended to a file, one JSON document per line, and are durable when <see cref="Flush"/> returns. A last line that a
/// crash cut short is dropped. The file is written anew when it has grown far beyond what it says. Not for concurrent use.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const long LeastBytes = 1 << 20;
    private readonly string _path;
    private readonly List<byte[]> _unwritten = [];
    private FileStream _file;
    private long _compact;

    public Journal(string path)
    {
        _path = path;
        _file = AloneFiles.Owned(path, FileMode.OpenOrCreate);
        _file.SetLength(Replay());
        _file.Seek(0, SeekOrigin.End);
        _compact = LeastBytes;
    }

    public Backlog Backlog { get; } = new();

    /// <summary>Applies an entry, and notes it for the next flush.</summary>
    public void Add(BacklogEntry entry)
    {
        Backlog.Apply(entry);
        _unwritten.Add([.. JsonSerializer.SerializeToUtf8Bytes(entry, ApiJson.Compact), (byte)'\n']);
    }

    /// <summary>Makes what was added durable.</summary>
    /// <exception cref="IOException">The disk is full or broken; the next flush tries again.</exception>
    public void Flush()
    {
        if (_unwritten.Count == 0)
            return;
        var end = _file.Length;
        try
        {
            _file.Seek(0, SeekOrigin.End);
            foreach (var line in _unwritten)
                _file.Write(line);
            _file.Flush(flushToDisk: true);
        }
        catch (IOException)
        {
            _file.SetLength(end);
            throw;
        }
        _unwritten.Clear();
        if (_file.Length > _compact)
            Compact();
    }

    public void Dispose() => _file.Dispose();

    private void Compact()
    {
        var beside = _path + ".new";
        var file = AloneFiles.Owned(beside, FileMode.Create);
        JsonSerializer.Serialize(file, new BacklogEntry { Whole = Backlog.ToWhole() }, ApiJson.Compact);
        file.WriteByte((byte)'\n');
        file.Flush(flushToDisk: true);
        File.Move(beside, _path, overwrite: true);
        _file.Dispose();
        (_file, _compact) = (file, Math.Max(LeastBytes, 4 * file.Length));
    }

    /// <returns>How many bytes of the file are whole entries.</returns>
    private long Replay()
    {
        var (good, bytes) = (0, new byte[_file.Length]);
        _file.ReadExactly(bytes);
        for (var rest = bytes.AsSpan(); rest.IndexOf((byte)'\n') is var end and >= 0; rest = rest[(end + 1)..])
        {
            try
            {
                Backlog.Apply(JsonSerializer.Deserialize<BacklogEntry>(rest[..end], ApiJson.Compact)!);
            }
            catch (JsonException)
            {
                break;
            }
            good += end + 1;
        }
        return good;
    }
}
