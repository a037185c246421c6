using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Fleet.Secrets;

namespace Cairn.Fleet.Tests.Secrets;

public sealed class Secrets_are_sealed : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-seal-").FullName;
    private readonly JobId _job = JobId.New(DateTimeOffset.UnixEpoch);

    [Fact]
    public void And_open_only_for_their_job_and_under_their_key()
    {
        var path = Path.Combine(_folder, "keys", "secrets.key");
        using var seal = SecretSeal.Open(path);
        var text = seal.Seal(_job, new Dictionary<string, string> { ["TOKEN"] = "hunter2" });
        Assert.NotEqual(text, seal.Seal(_job, new Dictionary<string, string> { ["TOKEN"] = "hunter2" }));
        using var again = SecretSeal.Open(path);
        Assert.Equal("hunter2", again.Open(_job, text)["TOKEN"]);
        Assert.ThrowsAny<CryptographicException>(() => again.Open(JobId.New(DateTimeOffset.UnixEpoch.AddDays(1)), text));
        using var other = SecretSeal.Open(Path.Combine(_folder, "other.key"));
        Assert.ThrowsAny<CryptographicException>(() => other.Open(_job, text));
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
    }

    [Fact]
    public void A_key_file_that_holds_no_key_is_refused()
    {
        var path = Path.Combine(_folder, "short.key");
        File.WriteAllText(path, "short");
        Assert.Contains("5 bytes; expected 32", Assert.Throws<InvalidDataException>(() => SecretSeal.Open(path)).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
