namespace Cairn.Server.Hosting;

/// <summary>The server's folder and what lies where in it. Only its owner may look inside.</summary>
internal sealed class DataFolder
{
    public DataFolder(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string Path { get; }

    public string Database => In("cairn.db");

    public string Blobs => In("blobs");

    public string Logs => In("logs");

    public string Keys => In("keys");

    private string In(string name) => System.IO.Path.Combine(Path, name);
}
