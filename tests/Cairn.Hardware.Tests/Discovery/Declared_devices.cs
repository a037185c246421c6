using Cairn.Hardware.Discovery;

namespace Cairn.Hardware.Tests.Discovery;

public sealed class Declared_devices
{
    [Fact]
    public void Are_marked_as_simulated_and_numbered_through()
    {
        var devices = DeclaredDevices.Parse("H100:8, rtx4090:2,L4");
        Assert.Equal(11, devices.Count);
        Assert.All(devices, device => Assert.True(device.Simulated && device.MemoryBytes > 0
            && device.Uuid.StartsWith("SIMULATED-", StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(0, 11), devices.Select(device => device.Index));
        Assert.Equal(["H100-SXM-80GB", "RTX4090", "L4"], devices.Select(device => device.Name).Distinct());
        Assert.Equal(11, devices.Select(device => device.Uuid).Distinct().Count());
    }

    [Theory]
    [InlineData("", "''")]
    [InlineData("H100:0", "'0'")]
    [InlineData("H100:many", "'many'")]
    [InlineData("H100:5000", "4096")]
    [InlineData("H1000:1", "'H1000'")]
    [InlineData("H100,,L4", "''")]
    public void Are_refused_with_the_part_that_is_wrong(string text, string named)
    {
        Assert.Null(DeclaredDevices.TryParse(text, out var problem));
        Assert.Contains(named, problem, StringComparison.Ordinal);
        Assert.Throws<FormatException>(() => DeclaredDevices.Parse(text));
    }
}
